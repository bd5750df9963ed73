"""Opens the features of a service in QGIS, by OGC API - Features, and lists the largest.

Runs in the Python console of QGIS, or in a Python that has PyQGIS (`apt install python3-qgis`, QT_QPA_PLATFORM=offscreen).
Needs TERRAQL_URL in the environment; where a login is required, add authcfg='…' of QGIS to the source.
"""
import os

from qgis.core import QgsApplication, QgsFeatureRequest, QgsVectorLayer

if QgsApplication.instance() is None:
    application = QgsApplication([], False)
    application.initQgis()

layer = QgsVectorLayer(f"url='{os.environ['TERRAQL_URL']}/ogc' typename='features'", "TerraQL", "OAPIF")
if not layer.isValid():
    raise SystemExit(layer.error().summary())
request = QgsFeatureRequest().setFilterExpression('"areaM2" > 10').setLimit(1000)
found = sorted(layer.getFeatures(request), key=lambda feature: -feature["areaM2"])
for feature in found[:10]:
    print(feature["prompt"], round(feature["areaM2"]), feature.geometry().boundingBox().toString(6))
