"""Names of the published weights."""

#: The release that was trained for each data set; the authors released no weights for RefSegRS.
RELEASES = {
    "EarthReason": "earth-insights/SegEarth-R1-EarthReason",
    "RRSIS-D": "earth-insights/SegEarth-R1-RRSIS-D",
}
