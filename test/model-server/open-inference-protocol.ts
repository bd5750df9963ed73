import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

const DESCRIPTION = path.resolve(import.meta.dirname, '../fixtures/open-inference-protocol/open_inference_rest.yaml');

// OpenAPI adds words to JSON Schema (`x-examples`, `info`, …) that say nothing about an answer.
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema(parse(readFileSync(DESCRIPTION, 'utf8')) as object, 'protocol');

/**
 * A value that is valid by the public description of the protocol.
 * @param schema name under `components/schemas`
 * @throws with what is wrong
 */
export function checked(schema: string, value: unknown): unknown {
  const validate = ajv.getSchema(`protocol#/components/schemas/${schema}`);
  if (!validate) throw new Error(`the description has no schema ${schema}`);
  if (!validate(value)) throw new Error(`not a valid ${schema}: ${ajv.errorsText(validate.errors)}`);
  return value;
}
