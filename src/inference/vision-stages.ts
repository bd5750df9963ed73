import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError } from '../errors.ts';

/** Names of the encoder's stages inside an exported vision graph. */
export const STAGES = ['res2', 'res3', 'res4', 'res5'] as const;
export type Stage = (typeof STAGES)[number];

/** A stage of the vision encoder: one vector per cell. */
export interface StageFeatures {
  readonly channels: number;
  /** Cells of a row and of a column; the map is square. */
  readonly side: number;
  /** CHW float32: channel by channel, each row-major. */
  readonly values: Float32Array;
}

/** The vision graph does not name the stages of its encoder. */
export class VisionStagesMissingError extends AppError {
  readonly code = 'VISION_STAGES_MISSING';
  constructor(file: string, cause: unknown) {
    const said = (cause instanceof Error ? cause.message : String(cause)).trim().replace(/\s*\n\s*/g, '; ');
    const missing = /Graph output \((\w+)\) does not exist/.exec(said)?.[1];
    super(
      `${file} does not provide ${STAGES.join(', ')} (${missing === undefined ? said : `it has no output named ${missing}`}); ` +
        'export the model again with `python -m segmenter export`, which adds them.',
      { cause },
    );
  }
}

/** The vision graph of a model with the stages of its encoder as outputs. */
export class VisionStages {
  private constructor(
    private readonly session: InferenceSession,
    private readonly windowPx: number,
  ) {}

  /**
   * @param folder model folder, with the graph in `file`
   * @param windowPx side of the model's window
   * @param threads of one inference; 0: one per core
   * @throws {VisionStagesMissingError} for a graph that was exported without their names
   */
  static async load(folder: string, file: string, windowPx: number, threads: number): Promise<VisionStages> {
    const graph = path.join(folder, file);
    const model = withOutputs(await readFile(graph), STAGES);
    try {
      const session = await InferenceSession.create(model, { executionProviders: ['cpu'], intraOpNumThreads: threads });
      return new VisionStages(session, windowPx);
    } catch (error) {
      throw new VisionStagesMissingError(graph, error);
    }
  }

  /**
   * @param image HWC uint8 RGB `[windowPx, windowPx, 3]`
   * @returns the four stages, strides 4, 8, 16 and 32 of the window
   */
  async of(image: Uint8Array): Promise<Record<Stage, StageFeatures>> {
    const side = this.windowPx;
    const outputs = await this.session.run({ image: new Tensor('uint8', image, [1, side, side, 3]) }, [...STAGES]);
    const stages = STAGES.map((stage) => {
      const { dims, data } = outputs[stage]!;
      return [stage, { channels: dims[1]!, side: dims[2]!, values: data as Float32Array }] as const;
    });
    return Object.fromEntries(stages) as Record<Stage, StageFeatures>;
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

/** Field `graph` of ModelProto and `output` of GraphProto, each holding a message; field `name` of ValueInfoProto. */
const MODEL_GRAPH = 7;
const GRAPH_OUTPUT = 12;
const VALUE_NAME = 1;

/**
 * A serialised ONNX model in which values inside the graph are outputs too. Protocol buffers merge what is appended:
 * a second `graph` field adds its outputs to those of the first.
 * @see https://protobuf.dev/programming-guides/encoding/#last-one-wins
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
  const outputs = names.map((name) => field(GRAPH_OUTPUT, field(VALUE_NAME, Buffer.from(name, 'utf8'))));
  return Buffer.concat([model, field(MODEL_GRAPH, Buffer.concat(outputs))]);
}

/** A length-delimited field. */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
