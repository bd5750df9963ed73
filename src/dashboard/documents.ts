import { graphql } from './generated/gql.ts';

/** What the dashboard asks of images and runs. */

export const SCENES = graphql(`
  query Scenes($after: String) {
    scenes(first: 200, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        name
        widthPx
        heightPx
        crs
        gsdM
        areaM2
        acquiredAt
        attribution
        footprint
      }
    }
  }
`);

graphql(`
  fragment RunFields on Segmentation {
    id
    prompt
    state
    targetFound
    emptyReason
    featureCount
    areaM2
    threshold
    createdAt
    progress {
      phase
      windowsDone
      windowsTotal
      fraction
      etaS
    }
    failure {
      code
      message
    }
    scene {
      id
      name
    }
    mask {
      overlayUrl
    }
  }
`);

export const RUNS = graphql(`
  query Runs {
    segmentations(first: 30) {
      totalCount
      nodes {
        ...RunFields
      }
    }
  }
`);

export const RUN = graphql(`
  query Run($id: ID!) {
    segmentation(id: $id) {
      ...RunFields
    }
  }
`);

export const RUN_PROGRESS = graphql(`
  subscription RunProgress($id: ID!) {
    segmentationProgress(id: $id) {
      ...RunFields
    }
  }
`);

export const ASK = graphql(`
  mutation Ask($input: SegmentInput!) {
    segment(input: $input) {
      ...RunFields
    }
  }
`);

export const CANCEL = graphql(`
  mutation Cancel($id: ID!) {
    cancelSegmentation(id: $id) {
      ...RunFields
    }
  }
`);

export const RETRY = graphql(`
  mutation Retry($ids: [ID!]!) {
    retrySegmentations(ids: $ids) {
      ...RunFields
    }
  }
`);

export const CREATE_UPLOAD = graphql(`
  mutation CreateUpload($filename: String!, $sizeBytes: Float!) {
    createUpload(filename: $filename, sizeBytes: $sizeBytes) {
      id
      url
    }
  }
`);

export const REGISTER_UPLOAD = graphql(`
  mutation RegisterUpload($input: RegisterSceneInput!) {
    registerScene(input: $input) {
      id
      name
      footprint
    }
  }
`);

export const VIEWER = graphql(`
  query Viewer {
    viewer {
      subject
      role
      workspace {
        name
      }
    }
  }
`);
