import { type ReactNode, useRef, useState } from 'react';
import { problemText } from '../graphql.ts';
import { useSettings } from '../settings.ts';
import { bytes, texts } from '../texts.en.ts';
import { uploadScene } from './upload.ts';

interface Upload {
  readonly name: string;
  readonly total: number;
  readonly done: number;
  readonly problem: string | null;
  readonly mayRetry: boolean;
}

/** Takes a file by drop or by button, shows how much of it was sent, and can stop. */
export function UploadField({
  onUploaded,
  isEmpty,
}: {
  onUploaded: (id: string) => void;
  isEmpty: boolean;
}): ReactNode {
  const [upload, setUpload] = useState<Upload | null>(null);
  const [lastFile, setLastFile] = useState<File | null>(null);
  const [over, setOver] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const settings = useSettings();

  const send = async (file: File, bounds: readonly number[] | null): Promise<void> => {
    const started: Upload = { name: file.name, total: file.size, done: 0, problem: null, mayRetry: false };
    const most = settings.data?.maxUploadBytes ?? Infinity;
    if (file.size > most) {
      setUpload({ ...started, problem: texts.tooLarge(file.name, file.size, most) });
      return;
    }
    const controller = new AbortController();
    abort.current = controller;
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
      setUpload(controller.signal.aborted ? null : { ...started, problem: problemText(error), mayRetry: true });
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
      <p role="status" className={upload?.problem ? 'problem' : undefined}>
        {over ? texts.dropHere : upload ? uploadText(upload) : isEmpty ? texts.noImages : texts.anotherImage}
      </p>
      {sending && <progress max={upload.total} value={upload.done} aria-label={upload.name} />}
      <p className="actions">
        {sending ? (
          <button type="button" onClick={() => abort.current?.abort()}>
            {texts.cancel}
          </button>
        ) : (
          <button type="button" onClick={() => input.current?.click()}>
            {texts.chooseFile}
          </button>
        )}
        {upload?.mayRetry && lastFile && (
          <button type="button" onClick={() => void send(lastFile, null)}>
            {texts.tryAgain}
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
