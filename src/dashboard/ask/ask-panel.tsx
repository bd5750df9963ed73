import type { Polygon } from 'geojson';
import { type ReactNode, useId, useState } from 'react';
import { ASK } from '../documents.ts';
import type { RunFieldsFragment, SegmentInput } from '../generated/graphql.ts';
import { ask, problemText } from '../graphql.ts';
import { refresh, useRuns, useScenes } from '../queries.ts';
import { texts } from '../texts.en.ts';
import { LOWER_THRESHOLD, RunCard } from './run-card.tsx';
import { UploadField } from './upload-field.tsx';

interface Properties {
  /** Area that questions are limited to; null: the whole image. */
  readonly area: Polygon | null;
  readonly onArea: (area: Polygon | null) => void;
  /** Lets a person draw an area. */
  readonly onDraw: (onDrawn: (outline: Polygon) => void) => void;
  readonly onShow: (run: RunFieldsFragment) => void;
  readonly onScene: (id: string) => void;
}

/** Chooses an image or uploads one, asks questions about it, and lists what was asked. */
export function AskPanel({ area, onArea, onDraw, onShow, onScene }: Properties): ReactNode {
  const scenes = useScenes();
  const runs = useRuns();
  const [chosen, setChosen] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const fieldId = useId();
  const sceneId = chosen ?? scenes.data?.[0]?.id ?? null;
  const prompts = [
    ...new Set(
      text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    ),
  ];

  const put = async (input: SegmentInput): Promise<void> => {
    setProblem(null);
    try {
      await ask(ASK, { input });
      setText('');
      await refresh();
    } catch (error) {
      setProblem(problemText(error));
    }
  };
  const again = (run: RunFieldsFragment): void => {
    const { emptyReason } = run;
    void put({
      sceneId: run.scene.id,
      prompts: [run.prompt],
      ...(emptyReason === 'NO_PIXEL_ABOVE_THRESHOLD' ? { threshold: LOWER_THRESHOLD } : {}),
      ...(emptyReason === 'ALL_BELOW_MIN_AREA' ? { minAreaM2: 0 } : {}),
    });
  };

  return (
    <section aria-label="Ask">
      <UploadField
        onUploaded={(id) => {
          setChosen(id);
          onScene(id);
          void refresh();
        }}
        isEmpty={scenes.data?.length === 0}
      />
      {scenes.data && scenes.data.length > 0 && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (sceneId === null || prompts.length === 0) return;
            void put({ sceneId, prompts, ...(area ? { areaOfInterest: area } : {}) });
          }}
        >
          <label>
            Image
            <select
              value={sceneId ?? ''}
              onChange={({ target }) => {
                setChosen(target.value);
                onScene(target.value);
              }}
            >
              {scenes.data.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label htmlFor={fieldId}>{texts.askPlaceholder}</label>
          <textarea
            id={fieldId}
            data-shortcut="/"
            rows={3}
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
          <p className="actions">
            <button type="submit" className="primary" disabled={prompts.length === 0}>
              {texts.askCount(Math.max(1, prompts.length))}
            </button>
            <button type="button" aria-pressed={area !== null} onClick={() => (area ? onArea(null) : onDraw(onArea))}>
              {area ? texts.inDrawnArea : texts.onlyInArea}
            </button>
          </p>
          {problem && (
            <p role="alert" className="problem">
              {problem}
            </p>
          )}
        </form>
      )}
      <ul className="cards">
        {runs.data?.map((run) => (
          <RunCard key={run.id} run={run} onShow={onShow} onAgain={again} />
        ))}
      </ul>
    </section>
  );
}
