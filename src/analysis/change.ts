/** The part of a feature on the ground that both segmentations looked at. */
export interface FeaturePart {
  readonly id: string;
  readonly segmentationId: string;
  /** Geodesic. */
  readonly areaM2: number;
}

/** Ground that two features cover both. */
export interface FeatureOverlap {
  readonly fromId: string;
  readonly toId: string;
  /** Geodesic; more than 0. */
  readonly areaM2: number;
}

/** Two features that are one thing at two times. */
export interface MatchedPair {
  readonly fromId: string;
  readonly toId: string;
  /** Intersection over union of the areas, 0 to 1. */
  readonly iou: number;
  /** Area afterwards less area before. */
  readonly areaChangeM2: number;
}

/** What became of the features of one segmentation in another, on the ground that both looked at. */
export interface FeatureChange {
  /** Features afterwards that match none before, largest first. */
  readonly appearedIds: readonly string[];
  /** Features before that match none afterwards, largest first. */
  readonly vanishedIds: readonly string[];
  /** Best match first. */
  readonly pairs: readonly MatchedPair[];
  /** Ground covered only afterwards, whatever feature it is of. */
  readonly appearedAreaM2: number;
  /** Ground covered only before. */
  readonly vanishedAreaM2: number;
  /** Ground covered both times. */
  readonly persistedAreaM2: number;
}

/** Comparisons of stored outlines; the port that the database implements. */
export interface ChangeStore {
  /**
   * The ground that both segmentations looked at: where footprints and areas of interest meet.
   * @returns its geodesic area as a share of the smaller of the two grounds; 0 when they do not meet
   */
  commonShare(fromId: string, toId: string): Promise<number>;
  /** Features of both with their parts on the common ground; slivers under a thousandth of a feature are left out. */
  parts(fromId: string, toId: string): Promise<FeaturePart[]>;
  /** On the common ground. */
  overlaps(fromId: string, toId: string): Promise<FeatureOverlap[]>;
}
