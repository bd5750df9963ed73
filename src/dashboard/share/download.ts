import { credential } from './credential.ts';

/**
 * Downloads a file with the credential of this tab, which a plain link would not send.
 * @throws {Error} with what the service says
 */
export async function download(address: string, name: string): Promise<void> {
  const response = await fetch(address, { headers: credential.headers() });
  if (!response.ok) {
    const refusal = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
    throw new Error(refusal?.error?.message ?? `${response.status} ${response.statusText}`);
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
