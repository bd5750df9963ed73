/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Scenes($after: String) {\n    scenes(first: 200, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      nodes {\n        id\n        name\n        widthPx\n        heightPx\n        crs\n        gsdM\n        areaM2\n        acquiredAt\n        footprint\n      }\n    }\n  }\n": typeof types.ScenesDocument,
    "\n  fragment RunFields on Segmentation {\n    id\n    prompt\n    state\n    targetFound\n    emptyReason\n    featureCount\n    areaM2\n    threshold\n    createdAt\n    progress {\n      phase\n      windowsDone\n      windowsTotal\n      fraction\n      etaS\n    }\n    failure {\n      code\n      message\n    }\n    scene {\n      id\n      name\n    }\n    mask {\n      overlayUrl\n    }\n  }\n": typeof types.RunFieldsFragmentDoc,
    "\n  query Runs {\n    segmentations(first: 30) {\n      totalCount\n      nodes {\n        ...RunFields\n      }\n    }\n  }\n": typeof types.RunsDocument,
    "\n  query Run($id: ID!) {\n    segmentation(id: $id) {\n      ...RunFields\n    }\n  }\n": typeof types.RunDocument,
    "\n  subscription RunProgress($id: ID!) {\n    segmentationProgress(id: $id) {\n      ...RunFields\n    }\n  }\n": typeof types.RunProgressDocument,
    "\n  mutation Ask($input: SegmentInput!) {\n    segment(input: $input) {\n      ...RunFields\n    }\n  }\n": typeof types.AskDocument,
    "\n  mutation Cancel($id: ID!) {\n    cancelSegmentation(id: $id) {\n      ...RunFields\n    }\n  }\n": typeof types.CancelDocument,
    "\n  mutation Retry($ids: [ID!]!) {\n    retrySegmentations(ids: $ids) {\n      ...RunFields\n    }\n  }\n": typeof types.RetryDocument,
    "\n  mutation CreateUpload($filename: String!, $sizeBytes: Float!) {\n    createUpload(filename: $filename, sizeBytes: $sizeBytes) {\n      id\n      url\n      maxBytes\n    }\n  }\n": typeof types.CreateUploadDocument,
    "\n  mutation RegisterUpload($input: RegisterSceneInput!) {\n    registerScene(input: $input) {\n      id\n      name\n      footprint\n    }\n  }\n": typeof types.RegisterUploadDocument,
    "\n  fragment FeatureRow on Feature {\n    id\n    bbox\n    areaM2\n    perimeterM\n    compactness\n    elongation\n    meanProbability\n    maxProbability\n    segmentation {\n      id\n      prompt\n    }\n    scene {\n      id\n      name\n      acquiredAt\n    }\n    review {\n      status\n      label\n      note\n      by\n      at\n    }\n  }\n": typeof types.FeatureRowFragmentDoc,
    "\n  query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $after: String) {\n    features(filter: $filter, orderBy: $orderBy, first: 100, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      nodes {\n        ...FeatureRow\n      }\n    }\n  }\n": typeof types.FeaturesDocument,
    "\n  query Feature($id: ID!) {\n    feature(id: $id) {\n      ...FeatureRow\n      pixelCount\n      bearingDeg\n      centroid\n      geometry(precision: 7)\n      reviews {\n        status\n        label\n        note\n        by\n        at\n      }\n      neighbours(first: 20) {\n        totalCount\n        edges {\n          relation\n          sharedBorderM\n          gapM\n          bearingDeg\n          node {\n            id\n            areaM2\n            centroid\n            geometry(precision: 7)\n            segmentation {\n              prompt\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.FeatureDocument,
    "\n  query Summary($filter: FeatureFilter) {\n    all: featureStatistics(filter: $filter) {\n      featureCount\n      areaM2\n      unionAreaM2\n      extent\n    }\n  }\n": typeof types.SummaryDocument,
    "\n  query Prompts($filter: FeatureFilter) {\n    byPrompt: featureStatistics(filter: $filter, groupBy: [PROMPT]) {\n      key\n      featureCount\n      areaM2\n      meanProbability\n    }\n  }\n": typeof types.PromptsDocument,
    "\n  query Charts(\n    $filter: FeatureFilter\n    $d0: FeatureFilter\n    $d1: FeatureFilter\n    $d2: FeatureFilter\n    $d3: FeatureFilter\n    $d4: FeatureFilter\n    $d5: FeatureFilter\n    $d6: FeatureFilter\n  ) {\n    byDay: featureStatistics(filter: $filter, groupBy: [ACQUIRED_DAY]) {\n      key\n      featureCount\n      areaM2\n    }\n    d0: featureStatistics(filter: $d0) {\n      featureCount\n    }\n    d1: featureStatistics(filter: $d1) {\n      featureCount\n    }\n    d2: featureStatistics(filter: $d2) {\n      featureCount\n    }\n    d3: featureStatistics(filter: $d3) {\n      featureCount\n    }\n    d4: featureStatistics(filter: $d4) {\n      featureCount\n    }\n    d5: featureStatistics(filter: $d5) {\n      featureCount\n    }\n    d6: featureStatistics(filter: $d6) {\n      featureCount\n    }\n  }\n": typeof types.ChartsDocument,
    "\n  query Change($from: ID!, $to: ID!) {\n    change(fromSegmentationId: $from, toSegmentationId: $to) {\n      appearedAreaM2\n      vanishedAreaM2\n      persistedAreaM2\n      appeared {\n        id\n        geometry\n      }\n      vanished {\n        id\n        geometry\n      }\n      pairs {\n        to {\n          id\n          geometry\n        }\n      }\n    }\n  }\n": typeof types.ChangeDocument,
    "\n  mutation Review($ids: [ID!]!, $status: ReviewStatus!, $label: String, $note: String, $unchangedSince: DateTime) {\n    reviewFeatures(ids: $ids, status: $status, label: $label, note: $note, unchangedSince: $unchangedSince) {\n      ...FeatureRow\n    }\n  }\n": typeof types.ReviewDocument,
    "\n  query Views {\n    views {\n      id\n      slug\n      name\n      filter\n      orderBy {\n        by\n        direction\n      }\n      style\n      tilesUrl\n    }\n  }\n": typeof types.ViewsDocument,
    "\n  mutation CreateView($input: ViewInput!) {\n    createView(input: $input) {\n      id\n      slug\n      name\n      tilesUrl\n      geojson: exportUrl(format: GEOJSON)\n    }\n  }\n": typeof types.CreateViewDocument,
    "\n  mutation DeleteView($id: ID!) {\n    deleteView(id: $id)\n  }\n": typeof types.DeleteViewDocument,
};
const documents: Documents = {
    "\n  query Scenes($after: String) {\n    scenes(first: 200, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      nodes {\n        id\n        name\n        widthPx\n        heightPx\n        crs\n        gsdM\n        areaM2\n        acquiredAt\n        footprint\n      }\n    }\n  }\n": types.ScenesDocument,
    "\n  fragment RunFields on Segmentation {\n    id\n    prompt\n    state\n    targetFound\n    emptyReason\n    featureCount\n    areaM2\n    threshold\n    createdAt\n    progress {\n      phase\n      windowsDone\n      windowsTotal\n      fraction\n      etaS\n    }\n    failure {\n      code\n      message\n    }\n    scene {\n      id\n      name\n    }\n    mask {\n      overlayUrl\n    }\n  }\n": types.RunFieldsFragmentDoc,
    "\n  query Runs {\n    segmentations(first: 30) {\n      totalCount\n      nodes {\n        ...RunFields\n      }\n    }\n  }\n": types.RunsDocument,
    "\n  query Run($id: ID!) {\n    segmentation(id: $id) {\n      ...RunFields\n    }\n  }\n": types.RunDocument,
    "\n  subscription RunProgress($id: ID!) {\n    segmentationProgress(id: $id) {\n      ...RunFields\n    }\n  }\n": types.RunProgressDocument,
    "\n  mutation Ask($input: SegmentInput!) {\n    segment(input: $input) {\n      ...RunFields\n    }\n  }\n": types.AskDocument,
    "\n  mutation Cancel($id: ID!) {\n    cancelSegmentation(id: $id) {\n      ...RunFields\n    }\n  }\n": types.CancelDocument,
    "\n  mutation Retry($ids: [ID!]!) {\n    retrySegmentations(ids: $ids) {\n      ...RunFields\n    }\n  }\n": types.RetryDocument,
    "\n  mutation CreateUpload($filename: String!, $sizeBytes: Float!) {\n    createUpload(filename: $filename, sizeBytes: $sizeBytes) {\n      id\n      url\n      maxBytes\n    }\n  }\n": types.CreateUploadDocument,
    "\n  mutation RegisterUpload($input: RegisterSceneInput!) {\n    registerScene(input: $input) {\n      id\n      name\n      footprint\n    }\n  }\n": types.RegisterUploadDocument,
    "\n  fragment FeatureRow on Feature {\n    id\n    bbox\n    areaM2\n    perimeterM\n    compactness\n    elongation\n    meanProbability\n    maxProbability\n    segmentation {\n      id\n      prompt\n    }\n    scene {\n      id\n      name\n      acquiredAt\n    }\n    review {\n      status\n      label\n      note\n      by\n      at\n    }\n  }\n": types.FeatureRowFragmentDoc,
    "\n  query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $after: String) {\n    features(filter: $filter, orderBy: $orderBy, first: 100, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      nodes {\n        ...FeatureRow\n      }\n    }\n  }\n": types.FeaturesDocument,
    "\n  query Feature($id: ID!) {\n    feature(id: $id) {\n      ...FeatureRow\n      pixelCount\n      bearingDeg\n      centroid\n      geometry(precision: 7)\n      reviews {\n        status\n        label\n        note\n        by\n        at\n      }\n      neighbours(first: 20) {\n        totalCount\n        edges {\n          relation\n          sharedBorderM\n          gapM\n          bearingDeg\n          node {\n            id\n            areaM2\n            centroid\n            geometry(precision: 7)\n            segmentation {\n              prompt\n            }\n          }\n        }\n      }\n    }\n  }\n": types.FeatureDocument,
    "\n  query Summary($filter: FeatureFilter) {\n    all: featureStatistics(filter: $filter) {\n      featureCount\n      areaM2\n      unionAreaM2\n      extent\n    }\n  }\n": types.SummaryDocument,
    "\n  query Prompts($filter: FeatureFilter) {\n    byPrompt: featureStatistics(filter: $filter, groupBy: [PROMPT]) {\n      key\n      featureCount\n      areaM2\n      meanProbability\n    }\n  }\n": types.PromptsDocument,
    "\n  query Charts(\n    $filter: FeatureFilter\n    $d0: FeatureFilter\n    $d1: FeatureFilter\n    $d2: FeatureFilter\n    $d3: FeatureFilter\n    $d4: FeatureFilter\n    $d5: FeatureFilter\n    $d6: FeatureFilter\n  ) {\n    byDay: featureStatistics(filter: $filter, groupBy: [ACQUIRED_DAY]) {\n      key\n      featureCount\n      areaM2\n    }\n    d0: featureStatistics(filter: $d0) {\n      featureCount\n    }\n    d1: featureStatistics(filter: $d1) {\n      featureCount\n    }\n    d2: featureStatistics(filter: $d2) {\n      featureCount\n    }\n    d3: featureStatistics(filter: $d3) {\n      featureCount\n    }\n    d4: featureStatistics(filter: $d4) {\n      featureCount\n    }\n    d5: featureStatistics(filter: $d5) {\n      featureCount\n    }\n    d6: featureStatistics(filter: $d6) {\n      featureCount\n    }\n  }\n": types.ChartsDocument,
    "\n  query Change($from: ID!, $to: ID!) {\n    change(fromSegmentationId: $from, toSegmentationId: $to) {\n      appearedAreaM2\n      vanishedAreaM2\n      persistedAreaM2\n      appeared {\n        id\n        geometry\n      }\n      vanished {\n        id\n        geometry\n      }\n      pairs {\n        to {\n          id\n          geometry\n        }\n      }\n    }\n  }\n": types.ChangeDocument,
    "\n  mutation Review($ids: [ID!]!, $status: ReviewStatus!, $label: String, $note: String, $unchangedSince: DateTime) {\n    reviewFeatures(ids: $ids, status: $status, label: $label, note: $note, unchangedSince: $unchangedSince) {\n      ...FeatureRow\n    }\n  }\n": types.ReviewDocument,
    "\n  query Views {\n    views {\n      id\n      slug\n      name\n      filter\n      orderBy {\n        by\n        direction\n      }\n      style\n      tilesUrl\n    }\n  }\n": types.ViewsDocument,
    "\n  mutation CreateView($input: ViewInput!) {\n    createView(input: $input) {\n      id\n      slug\n      name\n      tilesUrl\n      geojson: exportUrl(format: GEOJSON)\n    }\n  }\n": types.CreateViewDocument,
    "\n  mutation DeleteView($id: ID!) {\n    deleteView(id: $id)\n  }\n": types.DeleteViewDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Scenes($after: String) {\n    scenes(first: 200, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      nodes {\n        id\n        name\n        widthPx\n        heightPx\n        crs\n        gsdM\n        areaM2\n        acquiredAt\n        footprint\n      }\n    }\n  }\n"): typeof import('./graphql').ScenesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment RunFields on Segmentation {\n    id\n    prompt\n    state\n    targetFound\n    emptyReason\n    featureCount\n    areaM2\n    threshold\n    createdAt\n    progress {\n      phase\n      windowsDone\n      windowsTotal\n      fraction\n      etaS\n    }\n    failure {\n      code\n      message\n    }\n    scene {\n      id\n      name\n    }\n    mask {\n      overlayUrl\n    }\n  }\n"): typeof import('./graphql').RunFieldsFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Runs {\n    segmentations(first: 30) {\n      totalCount\n      nodes {\n        ...RunFields\n      }\n    }\n  }\n"): typeof import('./graphql').RunsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Run($id: ID!) {\n    segmentation(id: $id) {\n      ...RunFields\n    }\n  }\n"): typeof import('./graphql').RunDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription RunProgress($id: ID!) {\n    segmentationProgress(id: $id) {\n      ...RunFields\n    }\n  }\n"): typeof import('./graphql').RunProgressDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Ask($input: SegmentInput!) {\n    segment(input: $input) {\n      ...RunFields\n    }\n  }\n"): typeof import('./graphql').AskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Cancel($id: ID!) {\n    cancelSegmentation(id: $id) {\n      ...RunFields\n    }\n  }\n"): typeof import('./graphql').CancelDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Retry($ids: [ID!]!) {\n    retrySegmentations(ids: $ids) {\n      ...RunFields\n    }\n  }\n"): typeof import('./graphql').RetryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateUpload($filename: String!, $sizeBytes: Float!) {\n    createUpload(filename: $filename, sizeBytes: $sizeBytes) {\n      id\n      url\n      maxBytes\n    }\n  }\n"): typeof import('./graphql').CreateUploadDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RegisterUpload($input: RegisterSceneInput!) {\n    registerScene(input: $input) {\n      id\n      name\n      footprint\n    }\n  }\n"): typeof import('./graphql').RegisterUploadDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment FeatureRow on Feature {\n    id\n    bbox\n    areaM2\n    perimeterM\n    compactness\n    elongation\n    meanProbability\n    maxProbability\n    segmentation {\n      id\n      prompt\n    }\n    scene {\n      id\n      name\n      acquiredAt\n    }\n    review {\n      status\n      label\n      note\n      by\n      at\n    }\n  }\n"): typeof import('./graphql').FeatureRowFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Features($filter: FeatureFilter, $orderBy: FeatureOrder, $after: String) {\n    features(filter: $filter, orderBy: $orderBy, first: 100, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      nodes {\n        ...FeatureRow\n      }\n    }\n  }\n"): typeof import('./graphql').FeaturesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Feature($id: ID!) {\n    feature(id: $id) {\n      ...FeatureRow\n      pixelCount\n      bearingDeg\n      centroid\n      geometry(precision: 7)\n      reviews {\n        status\n        label\n        note\n        by\n        at\n      }\n      neighbours(first: 20) {\n        totalCount\n        edges {\n          relation\n          sharedBorderM\n          gapM\n          bearingDeg\n          node {\n            id\n            areaM2\n            centroid\n            geometry(precision: 7)\n            segmentation {\n              prompt\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').FeatureDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Summary($filter: FeatureFilter) {\n    all: featureStatistics(filter: $filter) {\n      featureCount\n      areaM2\n      unionAreaM2\n      extent\n    }\n  }\n"): typeof import('./graphql').SummaryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Prompts($filter: FeatureFilter) {\n    byPrompt: featureStatistics(filter: $filter, groupBy: [PROMPT]) {\n      key\n      featureCount\n      areaM2\n      meanProbability\n    }\n  }\n"): typeof import('./graphql').PromptsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Charts(\n    $filter: FeatureFilter\n    $d0: FeatureFilter\n    $d1: FeatureFilter\n    $d2: FeatureFilter\n    $d3: FeatureFilter\n    $d4: FeatureFilter\n    $d5: FeatureFilter\n    $d6: FeatureFilter\n  ) {\n    byDay: featureStatistics(filter: $filter, groupBy: [ACQUIRED_DAY]) {\n      key\n      featureCount\n      areaM2\n    }\n    d0: featureStatistics(filter: $d0) {\n      featureCount\n    }\n    d1: featureStatistics(filter: $d1) {\n      featureCount\n    }\n    d2: featureStatistics(filter: $d2) {\n      featureCount\n    }\n    d3: featureStatistics(filter: $d3) {\n      featureCount\n    }\n    d4: featureStatistics(filter: $d4) {\n      featureCount\n    }\n    d5: featureStatistics(filter: $d5) {\n      featureCount\n    }\n    d6: featureStatistics(filter: $d6) {\n      featureCount\n    }\n  }\n"): typeof import('./graphql').ChartsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Change($from: ID!, $to: ID!) {\n    change(fromSegmentationId: $from, toSegmentationId: $to) {\n      appearedAreaM2\n      vanishedAreaM2\n      persistedAreaM2\n      appeared {\n        id\n        geometry\n      }\n      vanished {\n        id\n        geometry\n      }\n      pairs {\n        to {\n          id\n          geometry\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').ChangeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Review($ids: [ID!]!, $status: ReviewStatus!, $label: String, $note: String, $unchangedSince: DateTime) {\n    reviewFeatures(ids: $ids, status: $status, label: $label, note: $note, unchangedSince: $unchangedSince) {\n      ...FeatureRow\n    }\n  }\n"): typeof import('./graphql').ReviewDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Views {\n    views {\n      id\n      slug\n      name\n      filter\n      orderBy {\n        by\n        direction\n      }\n      style\n      tilesUrl\n    }\n  }\n"): typeof import('./graphql').ViewsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateView($input: ViewInput!) {\n    createView(input: $input) {\n      id\n      slug\n      name\n      tilesUrl\n      geojson: exportUrl(format: GEOJSON)\n    }\n  }\n"): typeof import('./graphql').CreateViewDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteView($id: ID!) {\n    deleteView(id: $id)\n  }\n"): typeof import('./graphql').DeleteViewDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
