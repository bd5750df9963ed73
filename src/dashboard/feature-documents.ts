import { graphql } from './generated/gql.ts';

/** What the dashboard asks of features, reviews and views. */

graphql(`
  fragment FeatureRow on Feature {
    id
    bbox
    areaM2
    perimeterM
    compactness
    elongation
    meanProbability
    maxProbability
    segmentation {
      id
      prompt
    }
    scene {
      id
      name
      acquiredAt
    }
    review {
      status
      label
      note
      by
      at
    }
  }
`);

export const FEATURES = graphql(`
  query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $after: String) {
    features(filter: $filter, orderBy: $orderBy, first: 100, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...FeatureRow
      }
    }
  }
`);

export const FEATURE = graphql(`
  query Feature($id: ID!) {
    feature(id: $id) {
      ...FeatureRow
      pixelCount
      bearingDeg
      centroid
      geometry(precision: 7)
      reviews {
        status
        label
        note
        by
        at
      }
      neighbours(first: 20) {
        totalCount
        edges {
          relation
          sharedBorderM
          gapM
          bearingDeg
          node {
            id
            areaM2
            centroid
            geometry(precision: 7)
            segmentation {
              prompt
            }
          }
        }
      }
    }
  }
`);

export const SUMMARY = graphql(`
  query Summary($filter: FeatureFilter) {
    all: featureStatistics(filter: $filter) {
      featureCount
      areaM2
      extent
    }
  }
`);

export const GROUND = graphql(`
  query Ground($filter: FeatureFilter) {
    all: featureStatistics(filter: $filter) {
      unionAreaM2
    }
  }
`);

export const PROMPTS = graphql(`
  query Prompts($filter: FeatureFilter) {
    byPrompt: featureStatistics(filter: $filter, groupBy: [PROMPT]) {
      key
      featureCount
      areaM2
      meanProbability
    }
  }
`);

export const CHARTS = graphql(`
  query Charts(
    $filter: FeatureFilter
    $d0: FeatureFilter
    $d1: FeatureFilter
    $d2: FeatureFilter
    $d3: FeatureFilter
    $d4: FeatureFilter
    $d5: FeatureFilter
    $d6: FeatureFilter
  ) {
    byDay: featureStatistics(filter: $filter, groupBy: [ACQUIRED_DAY]) {
      key
      featureCount
      areaM2
    }
    d0: featureStatistics(filter: $d0) {
      featureCount
    }
    d1: featureStatistics(filter: $d1) {
      featureCount
    }
    d2: featureStatistics(filter: $d2) {
      featureCount
    }
    d3: featureStatistics(filter: $d3) {
      featureCount
    }
    d4: featureStatistics(filter: $d4) {
      featureCount
    }
    d5: featureStatistics(filter: $d5) {
      featureCount
    }
    d6: featureStatistics(filter: $d6) {
      featureCount
    }
  }
`);

export const CHANGE = graphql(`
  query Change($from: ID!, $to: ID!) {
    change(fromSegmentationId: $from, toSegmentationId: $to) {
      appearedAreaM2
      vanishedAreaM2
      persistedAreaM2
      appeared {
        id
        geometry
      }
      vanished {
        id
        geometry
      }
      pairs {
        to {
          id
          geometry
        }
      }
    }
  }
`);

export const REVIEW = graphql(`
  mutation Review($ids: [ID!]!, $status: ReviewStatus!, $label: String, $note: String, $unchangedSince: DateTime) {
    reviewFeatures(ids: $ids, status: $status, label: $label, note: $note, unchangedSince: $unchangedSince) {
      ...FeatureRow
    }
  }
`);

export const VIEWS = graphql(`
  query Views {
    views {
      id
      slug
      name
      filter
      orderBy {
        by
        direction
      }
      style
      tilesUrl
    }
  }
`);

export const CREATE_VIEW = graphql(`
  mutation CreateView($input: ViewInput!) {
    createView(input: $input) {
      id
      slug
      name
      tilesUrl
      geojson: exportUrl(format: GEOJSON)
    }
  }
`);

export const DELETE_VIEW = graphql(`
  mutation DeleteView($id: ID!) {
    deleteView(id: $id)
  }
`);
