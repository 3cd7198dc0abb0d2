import { showDialog } from '@jupyterlab/apputils';

import { Actions } from '../actions';
import { story } from '../answer/__tests__/examples';
import type { Daemon } from '../request';

jest.mock('@jupyterlab/apputils', () => ({
  ...jest.requireActual('@jupyterlab/apputils'),
  showDialog: jest.fn(() => Promise.resolve()),
  Notification: { info: jest.fn(), error: jest.fn() }
}));

const shown = showDialog as jest.Mock;

test('why shows the sentences of the selected task, as text', async () => {
  const get = jest.fn(() => Promise.resolve(story({ why: ['It waits.', '<b>2</b> run.'] })));
  const actions = new Actions({ get } as unknown as Daemon);
  await actions.why();
  expect(get).not.toHaveBeenCalled();
  actions.select('ab/c');
  await actions.why();
  expect(get).toHaveBeenCalledWith('tasks/ab%2Fc/story');
  expect(shown.mock.calls[0][0].body.node.textContent).toBe('It waits.\n<b>2</b> run.');
  get.mockResolvedValue(story());
  await actions.why();
  expect(shown.mock.calls[1][0].body.node.textContent).toBe('Nothing is known of why.');
});
