"""Reads windows of an image with GDAL: `vsicurl.py <name as GDAL has it> <windows as JSON>`.

Prints the seconds that it took and a SHA-256 of the pixels of each window, as JSON. Settings come from the environment.
"""

import hashlib
import json
import sys
import time

from osgeo import gdal

gdal.UseExceptions()
name, windows = sys.argv[1], json.loads(sys.argv[2])
began = time.monotonic()
image = gdal.Open(name)
hashes = []
for x, y, side, out in windows:
    pixels = image.ReadAsArray(x, y, side, side, buf_xsize=out, buf_ysize=out)
    hashes.append(hashlib.sha256(pixels.transpose(1, 2, 0).tobytes()).hexdigest())
print(json.dumps({"seconds": time.monotonic() - began, "hashes": hashes}))
