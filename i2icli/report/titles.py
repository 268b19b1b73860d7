"""What validation scores are called where people read them, and their units."""

TITLES = {
    "psnr": "PSNR (dB)",
    "flicker": "flicker of what is at rest in the real video, and that of the real video itself",
    "ssim": "SSIM",
    "miou": "mean IoU of the label maps found in generated photos, and in real ones",
    "pixel_accuracy": "pixels whose label is found in generated photos, and in real ones",
    "spectral_distance": "spectral distance between samples and data (0 is best)",
    "enlarged_distance": "spectral distance between upscaled images and ground truth (0 is best)",
    "interpolated_distance": "spectral distance between interpolation and ground truth (0 is best)",
    "checkerboard": "checkerboard in samples, power relative to real images (1 is best)",
    "warping_error": "warping error: frames against those before, warped by the real video's flow (x 1000)",
}

UNITS = {
    "flicker": "standard deviation of the brightness, of 255",
    "miou": "mean IoU",
    "pixel_accuracy": "fraction",
    "spectral_distance": "difference of log amplitudes",
    "enlarged_distance": "difference of log amplitudes",
    "interpolated_distance": "difference of log amplitudes",
    "checkerboard": "ratio",
    "warping_error": "x 1000",
}
