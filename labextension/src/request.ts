/** Calls to the daemon, through the Jupyter Server's proxy: the server authenticates, and adds the daemon's token. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { ReadonlyJSONValue } from '@lumino/coreutils';

/** An answer of the proxy or the daemon that says what is wrong, in one sentence. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

/** No daemon runs; a GET never starts one. */
export const NOT_RUNNING = 503;
/** The daemon speaks another protocol than the package this panel came with. */
export const OTHER_PROTOCOL = 409;

type Query = Record<string, string | number | readonly (string | number)[] | undefined>;

/** What calls to the daemon need: settings of the server's connection are those of the running JupyterLab. */
export class Daemon {
  constructor(readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  /** Ask the daemon. `path` stands after `/v1/`, for instance `tasks/12/code`. Throws RequestError. */
  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const response = await this.send('GET', `v1/${path}${queryString(query)}`, undefined, signal);
    return (await response.json()) as T;
  }

  /** Tell the daemon to do something; one is started if none runs. Throws RequestError. */
  async post<T>(path: string, body?: ReadonlyJSONValue): Promise<T> {
    return (await (await this.send('POST', `v1/${path}`, body)).json()) as T;
  }

  /** Start a daemon where none runs. Throws RequestError. */
  async start(): Promise<void> {
    await this.send('POST', 'start');
  }

  /** The open answer of the live stream. Throws RequestError. */
  async live(signal: AbortSignal): Promise<Response> {
    return this.send('GET', 'v1/live', undefined, signal, 'text/event-stream');
  }

  private async send(
    method: 'GET' | 'POST',
    path: string,
    body?: ReadonlyJSONValue,
    signal?: AbortSignal,
    accept = 'application/json'
  ): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, 'llmos/api', path);
    // With 'no-store', which is the default, JupyterLab would put the time into the query.
    const init: RequestInit = {
      method,
      headers: { Accept: accept },
      cache: 'no-cache',
      signal: signal ?? null
    };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      if (signal?.aborted) {
        throw error;
      }
      throw new RequestError(0, 'The Jupyter server does not answer: is it still running?');
    }
    if (!response.ok) {
      throw new RequestError(response.status, await messageOf(response));
    }
    return response;
  }
}

function queryString(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) {
        pairs.append(name, String(one));
      }
    }
  }
  const text = pairs.toString();
  return text ? `?${text}` : '';
}

/** The sentence in the body of an error; where there is none, for instance from a gateway between, one of ours. */
async function messageOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'message' in body && body.message) {
      return String(body.message);
    }
  } catch {
    // not JSON: no sentence in it
  }
  if (response.status === 404) {
    return 'The Jupyter server does not know llmos-jupyter: enable its server extension and start the server again.';
  }
  if (response.status === 403 || response.status === 401) {
    return 'The Jupyter server wants you to log in again: reload the page.';
  }
  return `The Jupyter server answered ${response.status} ${response.statusText}: try again.`;
}
