/** What does not answer for so long is not ready, even if it hangs without an error. */
const READY_MS = 3000;

/** @throws when the answer takes longer than readiness may */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${READY_MS} ms`)), READY_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
