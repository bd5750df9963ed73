"""Loads vector tiles and XYZ tiles of a service into QGIS, draws both to a picture, and prints what it saw as JSON.

usage: qgis_render.py VECTOR_URL XYZ_URL WEST SOUTH EAST NORTH PICTURE
"""
import json
import sys

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QEventLoop, QSize, QTimer
from qgis.PyQt.QtGui import QColor

vector_url, xyz_url, west, south, east, north, picture = sys.argv[1:]
application = QgsApplication([], False)
application.initQgis()

vector = QgsVectorTileLayer(f"type=xyz&url={vector_url}&zmin=0&zmax=18", "features")
raster = QgsRasterLayer(f"type=xyz&url={xyz_url}&zmin=0&zmax=22", "imagery", "wms")
mercator = QgsCoordinateReferenceSystem("EPSG:3857")
transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), mercator, QgsProject.instance())
extent = transform.transformBoundingBox(QgsRectangle(float(west), float(south), float(east), float(north)))


def render(layers):
    """Draws layers over white; the picture."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(mercator)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(400, 400))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    loop = QEventLoop()
    job.finished.connect(loop.quit)
    QTimer.singleShot(60000, loop.quit)
    job.start()
    loop.exec_()
    return job.renderedImage()


def coloured(image):
    """Pixels that are not white."""
    white = QColor("white").rgb()
    return sum(image.pixel(x, y) != white for x in range(image.width()) for y in range(image.height()))


both = render([vector, raster])
both.save(picture)
print(
    json.dumps(
        {
            "vectorIsValid": vector.isValid(),
            "rasterIsValid": raster.isValid(),
            "vectorPixels": coloured(render([vector])),
            "rasterPixels": coloured(render([raster])),
        }
    )
)
application.exitQgis()
