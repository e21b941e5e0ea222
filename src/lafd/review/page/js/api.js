// What the program answers, and what goes wrong on the way to it.

export class Failure extends Error {
  /** `status` of HTTP, or 0 where the program does not answer. */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (method !== 'GET') options.headers['Content-Type'] = 'application/json';
  if (body !== undefined) options.body = JSON.stringify(body);
  let answer, content;
  try {
    answer = await fetch(path, options);
    content = await answer.json();
  } catch {
    throw new Failure('The program does not answer.', 0);
  }
  if (!answer.ok) throw new Failure(content.error, answer.status);
  return content;
}

export const review = () => call('GET', 'api/review');
export const picture = (index) => call('GET', `api/pictures/${index}`);
export const put = (index, body) => call('PUT', `api/pictures/${index}`, body);
export const undo = () => call('POST', 'api/undo');
export const redo = () => call('POST', 'api/redo');
export const exportAll = () => call('POST', 'api/export');
