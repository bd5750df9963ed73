"""Prints what was found for each question, then the largest answers, page after page.

Needs `pip install 'gql[requests]'`, and TERRAQL_URL and TERRAQL_API_KEY in the environment.
"""
import itertools
import os

from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport

transport = RequestsHTTPTransport(
    url=f"{os.environ['TERRAQL_URL']}/graphql",
    headers={"Authorization": f"Bearer {os.environ['TERRAQL_API_KEY']}"},
    retries=3,
)
client = Client(transport=transport)

STATISTICS = gql("{ featureStatistics(groupBy: [PROMPT]) { key featureCount areaM2 } }")
FEATURES = gql(
    """query ($after: String) {
      features(orderBy: { by: AREA, direction: DESC }, first: 100, after: $after) {
        nodes { id areaM2 meanProbability segmentation { prompt } }
        pageInfo { hasNextPage endCursor }
      }
    }"""
)


def features():
    """Every feature, the largest first."""
    after = None
    while True:
        FEATURES.variable_values = {"after": after}
        page = client.execute(FEATURES)["features"]
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


for group in client.execute(STATISTICS)["featureStatistics"]:
    print(group["key"][0], group["featureCount"], round(group["areaM2"]))
for feature in itertools.islice(features(), 10):
    print(feature["segmentation"]["prompt"], round(feature["areaM2"]), feature["meanProbability"])
