const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** An area for people, three significant digits in the unit that suits it; a dash without georeference. */
export function areaText(areaM2: number | null): string {
  if (areaM2 === null) return '–';
  if (areaM2 >= 1e6) return `${significant.format(areaM2 / 1e6)} km²`;
  return areaM2 >= 1e4 ? `${significant.format(areaM2 / 1e4)} ha` : `${significant.format(areaM2)} m²`;
}

/** A length for people, three significant digits in metres or kilometres; a dash without georeference. */
export function lengthText(lengthM: number | null): string {
  if (lengthM === null) return '–';
  return lengthM >= 1e3 ? `${significant.format(lengthM / 1e3)} km` : `${significant.format(lengthM)} m`;
}
