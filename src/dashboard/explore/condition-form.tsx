import type { Polygon, Position } from 'geojson';
import { type ReactNode, useId } from 'react';
import type { Condition } from '../filter.ts';
import type { FeatureFilter, ReviewStatus } from '../generated/graphql.ts';
import { rectangle } from '../map/draw.ts';
import { conditions, reviews } from '../texts.en.ts';

interface Properties {
  readonly condition: Condition;
  readonly filter: FeatureFilter;
  readonly prompts: readonly string[];
  /** Centre of the map, longitude and latitude. */
  readonly centre: Position | null;
  readonly onDraw: (onDrawn: (outline: Polygon) => void) => void;
  readonly onChange: (part: Partial<FeatureFilter>) => void;
}

const RANGES = ['areaM2', 'meanProbability', 'elongation'] as const;
type RangeCondition = (typeof RANGES)[number];
const isRange = (condition: Condition): condition is RangeCondition => RANGES.some((name) => name === condition);
const UNITS: Readonly<Record<RangeCondition, string>> = { areaM2: 'm²', meanProbability: '0–1', elongation: '0–1' };

const numberOf = (text: FormDataEntryValue | null): number | undefined =>
  text === null || text === '' ? undefined : Number(text);

/** The form of one condition of the filter. */
export function ConditionForm(properties: Properties): ReactNode {
  const { condition, onChange } = properties;
  const headingId = useId();
  return (
    <form
      className="condition"
      aria-labelledby={headingId}
      onSubmit={(event) => {
        event.preventDefault();
        onChange(partOf(condition, new FormData(event.currentTarget), properties));
      }}
    >
      <h3 id={headingId}>{conditions[condition]}</h3>
      <Fields {...properties} />
      <p className="actions">
        {condition !== 'intersects' && (
          <button type="submit" className="primary">
            Apply
          </button>
        )}
        <button type="button" onClick={() => onChange({ [condition]: undefined })}>
          Remove
        </button>
      </p>
    </form>
  );
}

function Fields({ condition, filter, prompts, centre, onDraw, onChange }: Properties): ReactNode {
  if (isRange(condition)) {
    const range = filter[condition];
    return (
      <>
        <label>
          At least ({UNITS[condition]})
          <input name="min" type="number" step="any" min="0" defaultValue={range?.min ?? ''} />
        </label>
        <label>
          At most ({UNITS[condition]})
          <input name="max" type="number" step="any" min="0" defaultValue={range?.max ?? ''} />
        </label>
      </>
    );
  }
  switch (condition) {
    case 'promptContains':
      return <PromptField name="prompt" prompts={prompts} value={filter.promptContains ?? ''} />;
    case 'adjacentTo':
      return <PromptField name="prompt" prompts={prompts} value={filter.adjacentTo?.promptContains ?? ''} />;
    case 'acquired':
      return (
        <>
          <label>
            From
            <input name="from" type="date" defaultValue={filter.acquired?.from?.slice(0, 10) ?? ''} />
          </label>
          <label>
            To
            <input name="to" type="date" defaultValue={filter.acquired?.to?.slice(0, 10) ?? ''} />
          </label>
        </>
      );
    case 'near':
      return (
        <>
          <label>
            Longitude
            <input name="longitude" type="number" step="any" required defaultValue={centre?.[0]?.toFixed(6)} />
          </label>
          <label>
            Latitude
            <input name="latitude" type="number" step="any" required defaultValue={centre?.[1]?.toFixed(6)} />
          </label>
          <label>
            Within (m)
            <input name="withinM" type="number" min="0" required defaultValue={filter.near?.withinM ?? 100} />
          </label>
        </>
      );
    case 'intersects':
      return <AreaField onDraw={onDraw} onArea={(intersects) => onChange({ intersects })} />;
    case 'review':
      return (
        <label>
          Review
          <select name="review" defaultValue={filter.review?.[0] ?? 'UNREVIEWED'}>
            {Object.entries(reviews).map(([status, text]) => (
              <option key={status} value={status}>
                {text}
              </option>
            ))}
          </select>
        </label>
      );
    default:
      return condition satisfies never;
  }
}

function PromptField({ name, prompts, value }: { name: string; prompts: readonly string[]; value: string }): ReactNode {
  const listId = useId();
  return (
    <label>
      Words of the question
      <input name={name} list={listId} defaultValue={value} />
      <datalist id={listId}>
        {prompts.map((prompt) => (
          <option key={prompt} value={prompt} />
        ))}
      </datalist>
    </label>
  );
}

/** An area by drawing, or by typing its corners. */
function AreaField({ onDraw, onArea }: { onDraw: Properties['onDraw']; onArea: (area: Polygon) => void }): ReactNode {
  return (
    <>
      <button type="button" onClick={() => onDraw(onArea)}>
        Draw on the map
      </button>
      <fieldset>
        <legend>Or type corners</legend>
        {(['west', 'south', 'east', 'north'] as const).map((side) => (
          <label key={side}>
            {side}
            <input name={side} type="number" step="any" />
          </label>
        ))}
        <button
          type="button"
          onClick={({ currentTarget }) => {
            const data = new FormData(currentTarget.form!);
            const [west, south, east, north] = ['west', 'south', 'east', 'north'].map((side) => Number(data.get(side)));
            onArea(rectangle(west!, south!, east!, north!));
          }}
        >
          Use corners
        </button>
      </fieldset>
    </>
  );
}

function partOf(condition: Condition, data: FormData, { filter }: Properties): Partial<FeatureFilter> {
  const text = (name: string): string | undefined => {
    const value = data.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  if (isRange(condition)) {
    const [min, max] = [numberOf(data.get('min')), numberOf(data.get('max'))];
    const range = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    return { [condition]: Object.keys(range).length > 0 ? range : undefined };
  }
  switch (condition) {
    case 'promptContains':
      return { promptContains: text('prompt') };
    case 'adjacentTo': {
      const promptContains = text('prompt');
      return { adjacentTo: promptContains === undefined ? undefined : { promptContains } };
    }
    case 'acquired': {
      const [from, to] = [text('from'), text('to')];
      const acquired = { ...(from ? { from } : {}), ...(to ? { to: `${to}T23:59:59.999Z` } : {}) };
      return { acquired: from || to ? acquired : undefined };
    }
    case 'near': {
      const coordinates = [Number(data.get('longitude')), Number(data.get('latitude'))];
      return { near: { geometry: { type: 'Point', coordinates }, withinM: Number(data.get('withinM')) } };
    }
    case 'intersects':
      return { intersects: filter.intersects };
    case 'review':
      return { review: [data.get('review') as ReviewStatus] };
    default:
      return condition satisfies never;
  }
}
