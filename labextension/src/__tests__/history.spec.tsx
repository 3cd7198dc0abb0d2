import { act, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { History, type IHistoryProps } from '../components/history';
import type { Story, Task } from '../types';

const NOW = 1_760_000_000;

function task(number: number, changes: Partial<Task> = {}): Task {
  return {
    id: `id${number}`,
    number,
    kind: 'ask',
    text: `request ${number}`,
    options: { background: false } as Task['options'],
    session: { id: 'k', notebook: '/home/u/work/sales.ipynb', pid: 1, started: 0, cell: 'c' },
    state: 'done',
    reason: '',
    created: NOW - 180,
    updated: NOW - 170,
    feedback: '',
    ...changes
  };
}

const STORY: Story = {
  task: task(1),
  why: ['The model wrote for 2.1 s.'],
  lines: [{ seconds: 0.5, what: 'Inspection: nothing found', facts: [], findings: [], folds: [] }]
};

function props(changes: Partial<IHistoryProps> = {}): IHistoryProps {
  return {
    tasks: [task(1), task(2)],
    more: false,
    loading: false,
    error: '',
    search: '',
    now: NOW,
    onSearch: jest.fn(),
    onMore: jest.fn(),
    onFeedback: jest.fn(),
    onInsert: jest.fn(),
    hasCell: () => true,
    onShowCell: jest.fn(),
    onRetry: jest.fn(),
    onWhy: () => Promise.resolve(STORY),
    ...changes
  };
}

afterEach(() => jest.useRealTimers());

const rows = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-task]')];

test('tasks stand newest first, with state in words, notebook and age', () => {
  render(
    <History {...props({ tasks: [task(1), task(10, { state: 'failed', reason: 'no name x' })] })} />
  );
  expect(rows().map(row => row.dataset.task)).toEqual(['id10', 'id1']);
  expect(rows()[0]).toHaveTextContent('failed');
  expect(rows()[0]).toHaveTextContent('no name x');
  expect(rows()[1]).toHaveTextContent('3 min ago · sales.ipynb');
  expect(rows()[1].querySelector('time')).toHaveAttribute('title', expect.stringContaining('2025'));
});

test('it says what is missing: nothing yet, nothing found, on its way, not to be had', () => {
  const { rerender } = render(<History {...props({ tasks: [] })} />);
  expect(screen.getByRole('status')).toHaveTextContent('Nothing was asked yet');
  rerender(<History {...props({ tasks: [], search: 'zebra' })} />);
  expect(screen.getByRole('status')).toHaveTextContent('No task has "zebra" in it.');
  rerender(<History {...props({ tasks: [], loading: true })} />);
  expect(screen.getByRole('status')).toHaveTextContent('Looking for tasks.');
  rerender(<History {...props({ tasks: [], error: 'The daemon is away.' })} />);
  expect(screen.getByRole('alert')).toHaveTextContent('The daemon is away.');
});

test('it searches once after a pause, at once with Enter, and again when the words are taken back', async () => {
  jest.useFakeTimers();
  const user = userEvent.setup({ advanceTimers: jest.advanceTimersByTime });
  const onSearch = jest.fn();
  render(<History {...props({ onSearch })} />);
  const box = screen.getByRole('searchbox', { name: 'Search tasks' });
  await user.type(box, 'mean');
  expect(onSearch).not.toHaveBeenCalled();
  act(() => jest.advanceTimersByTime(400));
  await user.clear(box);
  act(() => jest.advanceTimersByTime(400));
  await user.type(box, '7{Enter}');
  act(() => jest.advanceTimersByTime(400));
  expect(onSearch.mock.calls).toEqual([['mean'], [''], ['7']]);
});

test('a thumb is given, and pressed again taken back', async () => {
  const onFeedback = jest.fn();
  const tasks = [task(1), task(2, { feedback: 'up' })];
  render(<History {...props({ tasks, onFeedback })} />);
  const up = screen.getByRole('button', { name: 'Thumb up: task 2' });
  expect(up).toHaveAttribute('aria-pressed', 'true');
  await userEvent.click(up);
  await userEvent.click(screen.getByRole('button', { name: 'Thumb down: task 1' }));
  expect(onFeedback.mock.calls).toEqual([
    [tasks[1], ''],
    [tasks[0], 'down']
  ]);
});

test('each task offers what can be done with it', async () => {
  const onInsert = jest.fn();
  const onRetry = jest.fn();
  const tasks = [
    task(1, { state: 'failed', options: { background: true } as Task['options'] }),
    task(2, { state: 'failed' })
  ];
  render(<History {...props({ tasks, onInsert, onRetry, hasCell: one => one.number === 2 })} />);
  const [second, first] = rows();
  expect(within(first).queryByRole('button', { name: /Go to cell/ })).toBeNull();
  expect(within(second).getByRole('button', { name: /Go to cell/ })).toBeInTheDocument();
  expect(within(second).queryByRole('button', { name: /Retry/ })).toBeNull();
  await userEvent.click(within(first).getByRole('button', { name: /Retry/ }));
  expect(onRetry).toHaveBeenCalledWith(tasks[0]);
  const insert = within(first).getByRole('button', { name: /Insert code at cursor/ });
  expect(fireEvent.mouseDown(insert)).toBe(false); // the cursor stays in the notebook
  await userEvent.click(insert);
  expect(onInsert).toHaveBeenCalledWith(tasks[0]);
});

test('"Why" tells the words, the reason and what happened, and again when the task has come further', async () => {
  const onWhy = jest.fn(() => Promise.resolve(STORY));
  const running = task(1, { state: 'running' });
  const { rerender } = render(<History {...props({ tasks: [running], onWhy })} />);
  expect(onWhy).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole('button', { name: 'Why: task 1' }));
  expect(await screen.findByText('The model wrote for 2.1 s.')).toBeInTheDocument();
  expect(rows()[0].querySelector('.jp-llmos-History-details')).toHaveTextContent(
    'request 1The model wrote for 2.1 s.+0.50 s Inspection: nothing found'
  );
  rerender(<History {...props({ tasks: [task(1)], onWhy })} />);
  await screen.findByText('Inspection: nothing found');
  expect(onWhy.mock.calls).toEqual([[running], [task(1)]]);
});

test('when the reason cannot be had, the sentence stands there', async () => {
  const onWhy = (): Promise<Story> => Promise.reject(new Error('No daemon runs.'));
  render(<History {...props({ tasks: [task(1)], onWhy })} />);
  await userEvent.click(screen.getByRole('button', { name: 'Why: task 1' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('No daemon runs.');
});

test('the schedule can open the details of a task', async () => {
  const { rerender } = render(<History {...props()} />);
  rerender(<History {...props({ opened: 'id2' })} />);
  expect(screen.getByRole('button', { name: 'Why: task 2' })).toHaveAttribute(
    'aria-expanded',
    'true'
  );
  expect(await screen.findByText('The model wrote for 2.1 s.')).toBeInTheDocument();
});

test('older tasks are asked for below the oldest', async () => {
  const onMore = jest.fn();
  const { rerender } = render(
    <History {...props({ tasks: [task(8), task(7)], more: true, onMore })} />
  );
  await userEvent.click(screen.getByRole('button', { name: 'Older tasks' }));
  expect(onMore).toHaveBeenCalledWith(7);
  rerender(<History {...props({ tasks: [task(8)], more: true, loading: true, onMore })} />);
  await userEvent.click(screen.getByRole('button', { name: 'Looking for older tasks' }));
  expect(onMore).toHaveBeenCalledTimes(1);
});

test('it keeps its place while new tasks come', () => {
  // jsdom lays nothing out: each row is 50 pixels high here.
  const top = jest.spyOn(HTMLElement.prototype, 'offsetTop', 'get');
  top.mockImplementation(function (this: HTMLElement) {
    return 50 * [...(this.parentElement?.children ?? [])].indexOf(this);
  });
  const height = jest.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(50);
  const many = Array.from({ length: 20 }, (_, i) => task(i + 1));
  const { rerender } = render(<History {...props({ tasks: many })} />);
  const list = screen.getByRole('list', { name: 'Tasks, newest first' });
  rerender(<History {...props({ tasks: [...many, task(21)] })} />);
  expect(list.scrollTop).toBe(0); // at the beginning one sees what comes
  list.scrollTop = 130;
  fireEvent.scroll(list);
  rerender(<History {...props({ tasks: [...many, task(21), task(22), task(23)] })} />);
  expect(list.scrollTop).toBe(230);
  top.mockRestore();
  height.mockRestore();
});

test('text that is HTML, right to left, or of a state to come, and a clock that was put back', () => {
  const tasks = [
    task(1, { text: '<script>alert(1)</script><img src=x onerror=alert(1)>' }),
    task(2, { text: 'متوسط المبيعات حسب المنطقة' }),
    task(3, { state: 'asleep' as Task['state'], created: NOW + 3600 }),
    task(4, { created: NaN })
  ];
  const { container } = render(<History {...props({ tasks })} />);
  expect(container.querySelector('script, img')).toBeNull();
  expect(screen.getByText(/<script>alert/)).toBeInTheDocument();
  expect(screen.getByText('متوسط المبيعات حسب المنطقة')).toHaveAttribute('dir', 'auto');
  const odd = screen.getByText(/asleep/).closest('li');
  expect(odd).toHaveTextContent('just now');
});
