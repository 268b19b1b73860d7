"""Files from the web: addresses checked, redirects bounded, broken downloads resumed. No torch here."""
