"""Downloads every feature as GeoParquet and asks DuckDB about the measures.

Needs `pip install duckdb`, and TERRAQL_URL and TERRAQL_API_KEY in the environment.
"""
import os
import tempfile
import urllib.request

import duckdb

request = urllib.request.Request(
    f"{os.environ['TERRAQL_URL']}/features.parquet",
    headers={"Authorization": f"Bearer {os.environ['TERRAQL_API_KEY']}"},
)
with tempfile.NamedTemporaryFile(suffix=".parquet") as file, urllib.request.urlopen(request) as response:
    while piece := response.read(1 << 20):
        file.write(piece)
    file.flush()
    rows = duckdb.sql(
        f"""SELECT prompt, count(*) AS features, round(sum(areaM2)) AS area, round(max(elongation), 2) AS longest
            FROM '{file.name}' WHERE meanProbability > 0.5 GROUP BY prompt ORDER BY area DESC"""
    ).fetchall()
for row in rows:
    print(*row)
