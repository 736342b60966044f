// Requests to the server: JSON, and arrays with a few facts in a header.

export class RefusedError extends Error {
  /** @param {string} message @param {string} kind */
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}

/** @param {string} address */
export async function get(address) {
  return (await checked(await fetch(address))).json();
}

/** @param {string} address @param {any} body */
export async function post(address, body) {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await checked(answer)).json();
}

/**
 * @param {string} address
 * @returns {Promise<{facts: any, bytes: ArrayBuffer} | null>} null where there is nothing yet
 */
export async function getArray(address) {
  const answer = await checked(await fetch(address));
  if (answer.status === 204) return null;
  const facts = JSON.parse(answer.headers.get('X-Facts') ?? '{}');
  return { facts, bytes: await answer.arrayBuffer() };
}

/** The address of a small picture. @param {string} address @param {any[]} shown @param {number} edge */
export function pictureAddress(address, shown, edge) {
  return `${address}?edge=${edge}&shown=${encodeURIComponent(JSON.stringify(shown))}`;
}

/** @param {Response} answer */
async function checked(answer) {
  if (answer.ok) return answer;
  if (answer.status === 403) {
    throw new RefusedError('This page is of a server that has ended. Open the address that the new one printed.', 'gone');
  }
  const said = await answer.json().catch(() => null);
  throw new RefusedError(said?.problem ?? `The server answered ${answer.status}; reload the page.`, said?.kind ?? 'bad');
}
