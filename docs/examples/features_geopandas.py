"""Reads every feature as GeoParquet into GeoPandas, and sums the areas by question.

Needs `pip install geopandas pyarrow`, and TERRAQL_URL and TERRAQL_API_KEY in the environment.
"""
import io
import os
import urllib.request

import geopandas

request = urllib.request.Request(
    f"{os.environ['TERRAQL_URL']}/features.parquet",
    headers={"Authorization": f"Bearer {os.environ['TERRAQL_API_KEY']}"},
)
with urllib.request.urlopen(request) as response:
    features = geopandas.read_parquet(io.BytesIO(response.read()))

# Areas are measured on the ellipsoid already; in an equal-area projection they come out the same.
features["projectedM2"] = features.to_crs("EPSG:6933").area
print(features.groupby("prompt")[["areaM2", "projectedM2"]].sum().round().to_json())
