import { ServerConnection } from '@jupyterlab/services';

import { Daemon, RequestError } from '../request';

function daemon(answer: () => Promise<Response>): [Daemon, jest.Mock] {
  const fetch = jest.fn(answer);
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/ada/',
    fetch: fetch as typeof globalThis.fetch
  });
  return [new Daemon(settings), fetch];
}

describe('Daemon', () => {
  it('asks the proxy under the base URL of the server, with its query', async () => {
    const [asked, fetch] = daemon(async () => Response.json([]));
    await asked.get('usage', { task: [1, 2], limit: undefined });
    expect((fetch.mock.calls[0][0] as Request).url).toBe(
      'http://localhost/user/ada/llmos/api/v1/usage?task=1&task=2'
    );
  });

  it('throws the sentence of an error', async () => {
    const [asked] = daemon(async () =>
      Response.json({ message: 'There is no task 9.' }, { status: 404 })
    );
    await expect(asked.get('tasks/9')).rejects.toEqual(
      new RequestError(404, 'There is no task 9.')
    );
  });

  it('has a sentence of its own for an error without one', async () => {
    const [asked] = daemon(async () => new Response('<html>Bad gateway</html>', { status: 502 }));
    await expect(asked.post('tasks/9/cancel')).rejects.toThrow(/answered 502/);
  });

  it('says that the server is away', async () => {
    const [asked] = daemon(async () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(asked.get('status')).rejects.toThrow(/does not answer/);
  });
});
