import { act, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { Gantt, type IGanttProps } from '../components/gantt';
import type { StepRecord } from '../types';

const NOW = 1_760_000_000;
const TASKS = new Map([
  ['t1', { number: 7, text: 'train a model' }],
  ['t2', { number: 8, text: 'plot it' }]
]);

const STEPS: StepRecord[] = [
  step({
    id: 'first',
    task: 't1',
    planned: { start: NOW - 62, end: NOW - 30 },
    spans: [
      { start: NOW - 60, end: NOW - 50 },
      { start: NOW - 40, end: NOW - 20 }
    ],
    predicted: 25,
    predicted_p90: 50,
    why: 'Started on workers: a core was free.'
  }),
  step({
    id: 'second',
    task: 't2',
    state: 'waiting',
    resource: '',
    after: ['first', 'unknown'],
    planned: { start: NOW + 10, end: NOW + 30 },
    predicted: 20,
    why: 'It waits for a core.'
  })
];

function step(changes: Partial<StepRecord>): StepRecord {
  return {
    id: 'a',
    task: 't1',
    kind: 'run',
    resource: 'workers',
    state: 'done',
    session: '',
    priority: 50,
    after: [],
    created: NOW - 65,
    planned: null,
    spans: [],
    predicted: null,
    predicted_p90: null,
    why: '',
    ...changes
  };
}

function show(changes: Partial<IGanttProps> = {}): ReturnType<typeof render> {
  return render(<Gantt steps={STEPS} tasks={TASKS} now={NOW} {...changes} />);
}

const details = (container: HTMLElement): HTMLElement => {
  const found = container.querySelector<HTMLElement>('.jp-llmos-Gantt-details');
  if (!found) {
    throw new Error('no details');
  }
  return found;
};

test('a step shows its plan, its spans with the gap between, and the arrow from what it waited for', () => {
  const { container } = show();
  const first = container.querySelector('[data-key="first"]');
  expect(first?.querySelectorAll('.jp-llmos-Gantt-span')).toHaveLength(2);
  expect(first?.querySelectorAll('.jp-llmos-Gantt-planned')).toHaveLength(1);
  expect(first?.querySelectorAll('.jp-llmos-Gantt-gap')).toHaveLength(1);
  expect(container.querySelectorAll('.jp-llmos-Gantt-chart .jp-llmos-Gantt-arrow')).toHaveLength(1);
});

test('pointing at a bar says why, and how long was predicted and planned against what was', () => {
  const { container } = show();
  fireEvent.pointerEnter(screen.getByLabelText(/^Task 7/));
  const words = within(details(container));
  expect(words.getByText('Task 7: code in a worker on workers, done')).toBeInTheDocument();
  expect(words.getByText('Started on workers: a core was free.')).toBeInTheDocument();
  expect(words.getByText('Predicted 25 s (9 of 10 within 50 s), took 30 s.')).toBeInTheDocument();
  expect(words.getByText(/began 2\.0 s later/)).toBeInTheDocument();
  expect(words.getByText('Gave way or was paused once, for 10 s.')).toBeInTheDocument();
});

test('the keyboard goes from bar to bar and reads the same', async () => {
  const { container } = show();
  const user = userEvent.setup();
  screen.getByRole('group', { name: 'Schedule' }).focus();
  await user.keyboard('{ArrowDown}{ArrowDown}');
  expect(screen.getByLabelText(/^Task 8/)).toHaveFocus();
  expect(details(container)).toHaveTextContent('It waits for a core.');
  expect(details(container)).toHaveTextContent(
    'After task 7 (code in a worker), a step not shown here.'
  );
  await user.keyboard('{Escape}');
  expect(screen.getByRole('group', { name: 'Schedule' })).toHaveFocus();
  expect(details(container)).not.toHaveTextContent('It waits for a core.');
});

test('Enter and a double click open the task', async () => {
  const onTask = jest.fn();
  show({ onTask });
  act(() => screen.getByRole('button', { name: /^Task 7/ }).focus());
  await userEvent.keyboard('{Enter}');
  await userEvent.dblClick(screen.getByRole('button', { name: /^Task 8/ }));
  expect(onTask.mock.calls).toEqual([['t1'], ['t2']]);
});

test('zoom, move and follow, by keys and buttons', async () => {
  const { container } = show();
  const user = userEvent.setup();
  const width = (): number =>
    Number(
      container.querySelector('[data-key="first"] .jp-llmos-Gantt-span')?.getAttribute('width')
    );
  const nowLine = (): Element | null => container.querySelector('.jp-llmos-Gantt-now');
  const before = width();
  screen.getByRole('group', { name: 'Schedule' }).focus();
  await user.keyboard('+');
  expect(width()).toBeGreaterThan(before);
  await user.keyboard('-');
  expect(width()).toBeCloseTo(before, 0);
  const now = screen.getByRole('button', { name: 'Now' });
  expect(now).toHaveAttribute('aria-pressed', 'true');
  for (let i = 0; i < 4; i++) {
    await user.click(screen.getByRole('button', { name: 'Earlier' }));
  }
  expect(nowLine()).toBeNull();
  expect(now).toHaveAttribute('aria-pressed', 'false');
  screen.getByRole('group', { name: 'Schedule' }).focus();
  await user.keyboard('{Home}');
  expect(nowLine()).not.toBeNull();
});

test('the wheel zooms and keeps the page where it is; to the side it moves', () => {
  const { container } = show();
  const chart = screen.getByRole('group', { name: 'Schedule' });
  const width = (): number =>
    Number(
      container.querySelector('[data-key="first"] .jp-llmos-Gantt-span')?.getAttribute('width')
    );
  const before = width();
  expect(fireEvent.wheel(chart, { deltaY: -100 })).toBe(false);
  expect(width()).toBeGreaterThan(before);
  fireEvent.wheel(chart, { deltaX: 50 });
  expect(screen.getByRole('button', { name: 'Now' })).toHaveAttribute('aria-pressed', 'false');
});

test('"now" follows the clock it is given, whatever the clock of this machine says', () => {
  const { container, rerender } = show({ now: NOW - 3600 });
  expect(container.querySelector('[data-key]')).toBeNull();
  rerender(<Gantt steps={STEPS} tasks={TASKS} now={NOW} />);
  expect(container.querySelectorAll('[data-key]')).toHaveLength(2);
});

test('looking at earlier times than are known asks for them', () => {
  const onEarlier = jest.fn();
  show({ steps: [], since: NOW - 10, onEarlier });
  expect(onEarlier.mock.calls[0][0]).toBeLessThan(NOW - 10);
  expect(screen.getByRole('status')).toHaveTextContent(/^Asking for what ran before/);
});

test('names that are HTML stay text, and what a newer daemon tells is drawn as other', () => {
  const odd = step({ id: '<b>"]', task: 'x', resource: '<img src=x onerror=alert(1)>' });
  const newer = { kind: 'dream', state: 'asleep', spans: [{ start: NOW - 30, end: null }] };
  const { container } = show({
    steps: [{ ...odd, ...newer, after: ['<b>"]'] } as unknown as StepRecord],
    tasks: new Map([['x', { number: 1, text: '<script>alert(1)</script>' }]])
  });
  expect(container.querySelector('img, script')).toBeNull();
  const bar = container.querySelector('[data-key]');
  expect(bar?.querySelector('.jp-llmos-Gantt-span')?.getAttribute('fill')).toMatch(/-other\)$/);
  expect(bar).toHaveAccessibleName(/^Task 1: dream on <img/);
  screen.getByRole('group', { name: 'Schedule' }).focus();
  fireEvent.keyDown(screen.getByRole('group', { name: 'Schedule' }), { key: 'ArrowDown' });
  expect(bar).toHaveFocus();
});

test('of more than can be drawn the rest is counted', () => {
  const steps = Array.from({ length: 10_000 }, (_, i) =>
    step({ id: `s${i}`, resource: '', state: 'waiting', created: NOW - 1 - i / 100 })
  );
  const { container } = show({ steps });
  expect(container.querySelectorAll('[data-key]').length).toBeLessThanOrEqual(500);
  expect(container).toHaveTextContent('+9,988 more');
  expect(container).toHaveTextContent('Only the 10,000 steps that changed last are known here.');
});
