#!/usr/bin/env bash
# Files of every feature larger than 10 m², as GeoJSON, GeoParquet and FlatGeobuf in a folder, and how many there are.
# Needs curl, and TERRAQL_URL and TERRAQL_API_KEY in the environment. usage: files_curl.sh FOLDER
set -euo pipefail
folder=$1
filter='{"filter":{"areaM2":{"min":10}}}'
for format in geojson parquet fgb; do
  curl --fail --silent --show-error --compressed "$TERRAQL_URL/features.$format" \
    -H "authorization: Bearer $TERRAQL_API_KEY" -H 'content-type: application/json' -d "$filter" \
    -D "$folder/headers" -o "$folder/features.$format"
  sed -n 's/^terraql-feature-count: */'"$format"' /ip' "$folder/headers" | tr -d '\r'
done
