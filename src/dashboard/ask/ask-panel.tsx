import type { Polygon } from 'geojson';
import { type ReactNode, useId, useRef, useState } from 'react';
import { ASK } from '../documents.ts';
import type { RunFieldsFragment, SegmentInput } from '../generated/graphql.ts';
import { ask, problemText } from '../graphql.ts';
import { refresh, useRuns, useScenes } from '../queries.ts';
import { bytes, texts } from '../texts.en.ts';
import { RunCard } from './run-card.tsx';
import { uploadScene } from './upload.ts';

interface Properties {
  /** Lets a person draw an area. */
  readonly onDraw: (onDrawn: (outline: Polygon) => void) => void;
  readonly onShow: (run: RunFieldsFragment) => void;
  readonly onScene: (id: string) => void;
}

interface Upload {
  readonly name: string;
  readonly total: number;
  readonly done: number;
  readonly problem: string | null;
}

/** Chooses an image or uploads one, asks questions about it, and lists what was asked. */
export function AskPanel({ onDraw, onShow, onScene }: Properties): ReactNode {
  const scenes = useScenes();
  const runs = useRuns();
  const [chosen, setChosen] = useState<string | null>(null);
  const [area, setArea] = useState<Polygon | null>(null);
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
      ...(emptyReason === 'NO_PIXEL_ABOVE_THRESHOLD' ? { threshold: 0.3 } : {}),
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
            <button type="button" aria-pressed={area !== null} onClick={() => (area ? setArea(null) : onDraw(setArea))}>
              {area ? 'In the drawn area' : 'Only in an area'}
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

/** Takes a file by drop or by button, shows how much of it was sent, and can stop. */
function UploadField({ onUploaded, isEmpty }: { onUploaded: (id: string) => void; isEmpty: boolean }): ReactNode {
  const [upload, setUpload] = useState<Upload | null>(null);
  const [lastFile, setLastFile] = useState<File | null>(null);
  const [over, setOver] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const send = async (file: File, bounds: readonly number[] | null): Promise<void> => {
    const controller = new AbortController();
    abort.current = controller;
    const started = { name: file.name, total: file.size, done: 0, problem: null };
    setUpload(started);
    setLastFile(file);
    try {
      const scene = await uploadScene(file, bounds, {
        signal: controller.signal,
        onProgress: (done) => setUpload({ ...started, done }),
      });
      onUploaded(scene.id);
      setUpload(scene.isGeoreferenced ? null : { ...started, done: file.size, problem: texts.noGeoreference });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      setUpload(controller.signal.aborted ? null : { ...started, problem: message });
    }
  };
  const sending = upload && upload.problem === null;
  return (
    <div
      className={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [file] = event.dataTransfer.files;
        if (file) void send(file, null);
      }}
    >
      <p role="status">{over ? texts.dropHere : upload ? uploadText(upload) : isEmpty ? texts.noImages : ''}</p>
      {sending && <progress max={upload.total} value={upload.done} aria-label={upload.name} />}
      <p className="actions">
        {sending ? (
          <button type="button" onClick={() => abort.current?.abort()}>
            Cancel
          </button>
        ) : (
          <button type="button" onClick={() => input.current?.click()}>
            {texts.chooseFile}
          </button>
        )}
      </p>
      {upload?.problem === texts.noGeoreference && lastFile && (
        <Corners onCorners={(bounds) => void send(lastFile, bounds)} />
      )}
      <input
        ref={input}
        type="file"
        hidden
        accept=".tif,.tiff,.png,.jpg,.jpeg,.webp"
        aria-label={texts.chooseFile}
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          target.value = '';
          if (file) void send(file, null);
        }}
      />
    </div>
  );
}

function uploadText({ name, total, done, problem }: Upload): string {
  if (problem !== null) return problem;
  return done < total ? texts.uploading(name, done, total) : `${texts.reading} ${bytes(total)}`;
}

const SIDES = ['West', 'South', 'East', 'North'] as const;

/** Corners of an image without georeference, in degrees. */
function Corners({ onCorners }: { onCorners: (bounds: readonly number[]) => void }): ReactNode {
  return (
    <form
      className="corners"
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        onCorners(SIDES.map((side) => Number(data.get(side))));
      }}
    >
      {SIDES.map((side) => (
        <label key={side}>
          {side}
          <input name={side} type="number" step="any" required />
        </label>
      ))}
      <button type="submit">{texts.enterCorners}</button>
    </form>
  );
}
