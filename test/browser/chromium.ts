import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = process.env['TERRAQL_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** Why browser tests cannot run here; null where they can. CI has a Chromium. */
export const NO_CHROMIUM = existsSync(PROGRAM)
  ? null
  : `no Chromium at ${PROGRAM}; TERRAQL_TEST_CHROMIUM names another`;

/** A headless Chromium that draws WebGL in software and asks nobody else for anything. */
/** @param more arguments of the program */
export function openChromium(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--no-sandbox',
      '--use-angle=swiftshader',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}
