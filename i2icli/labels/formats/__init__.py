"""What annotation programs and data sets write, one file per format; `FORMATS` in `recognise` lists them."""
