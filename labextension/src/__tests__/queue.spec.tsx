import { act, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { Queue, type IQueueView } from '../components/queue';
import type { IQueueActions } from '../components/queueRow';
import type { Queued } from '../types';
import { queued, step } from './things';

/** What a browser measures and jsdom does not: the list shows ten rows and a bit. */
const HEIGHT = 800;

beforeEach(() => {
  jest.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(HEIGHT);
  jest.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(300);
  Element.prototype.scrollTo = function (this: Element, options?: ScrollToOptions | number) {
    this.scrollTop = typeof options === 'object' ? (options.top ?? 0) : 0;
    fireEvent.scroll(this);
  };
});

afterEach(() => jest.restoreAllMocks());

function view(rows: readonly Queued[], total = rows.length): IQueueView {
  return {
    state: { total, error: '', version: 0 },
    row: index => rows[index],
    indexOf: task => rows.findIndex(row => row.task.id === task),
    show: () => undefined
  };
}

function actions(): jest.Mocked<IQueueActions> {
  return {
    cancel: jest.fn(),
    pause: jest.fn(),
    resume: jest.fn(),
    prioritise: jest.fn(),
    place: jest.fn()
  };
}

function shown(
  queue: IQueueView,
  does = actions()
): { does: IQueueActions; again: (queue: IQueueView) => void } {
  const all = (one: IQueueView): JSX.Element => (
    <Queue queue={one} now={1060} actions={does} onSelect={() => undefined} />
  );
  const { rerender } = render(all(queue));
  return { does, again: one => rerender(all(one)) };
}

function row(number: number): HTMLElement {
  return screen.getByRole('row', { name: new RegExp(`^Task ${number},`) });
}

describe('Queue', () => {
  it('draws few of ten thousand rows', () => {
    shown(view(Array.from({ length: 10_000 }, (_, index) => queued(index + 1))));
    expect(screen.getByRole('grid')).toHaveAttribute('aria-rowcount', '10000');
    const drawn = screen.getAllByRole('row');
    expect(drawn.length).toBeGreaterThan(9);
    expect(drawn.length).toBeLessThan(60);
  });

  it('draws other rows when it is scrolled', async () => {
    shown(view(Array.from({ length: 10_000 }, (_, index) => queued(index + 1))));
    const list = screen.getByRole('grid');
    act(() => list.scrollTo({ top: 5000 * 76 }));
    expect(row(5001)).toBeInTheDocument();
    expect(screen.getAllByRole('row').length).toBeLessThan(60);
  });

  it('shows HTML and scripts as text', () => {
    const text = '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>';
    shown(view([{ ...queued(1, { text }), why: '<b>because</b>' }]));
    expect(row(1)).toHaveTextContent('<img src=x onerror="window.hit = 1"><script>');
    expect(row(1)).toHaveTextContent('<b>because</b>');
    expect(document.querySelector('img, script, b')).toBeNull();
  });

  it('shows right-to-left text in its own direction, and a megabyte of code as one line', () => {
    shown(
      view([queued(1, { text: 'احسب المتوسط' }), queued(2, { text: 'x = 1\n'.repeat(170_000) })])
    );
    expect(within(row(1)).getByText('احسب المتوسط')).toHaveAttribute('dir', 'auto');
    expect(row(2).textContent!.length).toBeLessThan(600);
  });

  it('tells state, priority, age and planned start', () => {
    const planned = { start: 1240, end: 1300 };
    shown(view([queued(4, {}, true, step({ planned, priority: 100 }))]));
    expect(row(4)).toHaveTextContent('waiting');
    expect(row(4)).toHaveTextContent('asked 1 min ago');
    expect(row(4)).toHaveTextContent('starts in 3 min');
    expect(row(4)).toHaveTextContent('sales.ipynb');
    expect(screen.getByLabelText('Priority of task 4')).toHaveDisplayValue('interactive');
  });

  it('cancels, pauses and resumes', async () => {
    const { does } = shown(view([queued(1), queued(2, { state: 'paused' })]));
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Cancel task 1' }));
    await user.click(screen.getByRole('button', { name: 'Pause task 1' }));
    await user.click(screen.getByRole('button', { name: 'Resume task 2' }));
    expect(does.cancel).toHaveBeenCalledWith(expect.objectContaining({ number: 1 }));
    expect(does.pause).toHaveBeenCalledWith(expect.objectContaining({ number: 1 }));
    expect(does.resume).toHaveBeenCalledWith(expect.objectContaining({ number: 2 }));
  });

  it('lets only background tasks be paused, moved and given a priority', () => {
    shown(view([queued(1, { kind: 'ask' }, false)]));
    expect(screen.getAllByRole('button').map(button => button.getAttribute('aria-label'))).toEqual([
      'Cancel task 1'
    ]);
    expect(screen.queryByTitle(/Drag/)).toBeNull();
  });

  it('gives a priority by class or by number', async () => {
    const { does } = shown(view([queued(1)]));
    const user = userEvent.setup();
    await user.selectOptions(screen.getByLabelText('Priority of task 1'), 'low');
    expect(does.prioritise).toHaveBeenLastCalledWith(expect.objectContaining({ number: 1 }), 0);
    await user.selectOptions(screen.getByLabelText('Priority of task 1'), 'number…');
    const input = screen.getByLabelText('Priority of task 1, 0 to 1000');
    await user.clear(input);
    await user.type(input, '73{Enter}');
    expect(does.prioritise).toHaveBeenLastCalledWith(expect.objectContaining({ number: 1 }), 73);
    expect(does.prioritise).toHaveBeenCalledTimes(2);
  });

  it('refuses a priority that the daemon would refuse', async () => {
    const { does } = shown(view([queued(1)]));
    const user = userEvent.setup();
    await user.selectOptions(screen.getByLabelText('Priority of task 1'), 'number…');
    const input = screen.getByLabelText('Priority of task 1, 0 to 1000');
    await user.clear(input);
    await user.type(input, '1001{Enter}');
    expect(does.prioritise).not.toHaveBeenCalled();
  });
});

describe('Queue by keyboard', () => {
  const frame = (): Promise<void> =>
    act(() => new Promise<void>(resolve => requestAnimationFrame(() => resolve())));

  it('has one stop of the Tab key, from which arrows go on', async () => {
    shown(view([queued(1), queued(2), queued(3)]));
    const user = userEvent.setup();
    await user.tab();
    expect(row(1)).toHaveFocus();
    await user.keyboard('{ArrowDown}');
    await frame();
    expect(row(2)).toHaveFocus();
    await user.keyboard('{End}');
    await frame();
    expect(row(3)).toHaveFocus();
    await user.keyboard('{Home}');
    await frame();
    expect(row(1)).toHaveFocus();
  });

  it('moves the task that has the focus up and down', async () => {
    const { does } = shown(view([queued(1), queued(2), queued(3)]));
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard('{ArrowDown}');
    await frame();
    await user.keyboard('{Alt>}{ArrowUp}{/Alt}');
    expect(does.place).toHaveBeenLastCalledWith(
      expect.objectContaining({ number: 2 }),
      expect.objectContaining({ number: 1 })
    );
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
    expect(does.place).toHaveBeenLastCalledWith(expect.objectContaining({ number: 2 }), null);
  });

  it('does not move what runs, nor before it', async () => {
    const rows = [queued(1, { state: 'running' }), queued(2), queued(3)];
    const { does } = shown(view(rows));
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
    await user.keyboard('{ArrowDown}');
    await frame();
    await user.keyboard('{Alt>}{ArrowUp}{/Alt}');
    expect(does.place).not.toHaveBeenCalled();
  });

  it('cancels with Delete', async () => {
    const { does } = shown(view([queued(1)]));
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard('{Delete}');
    expect(does.cancel).toHaveBeenCalledWith(expect.objectContaining({ number: 1 }));
  });

  it('stays with its task when that moves, and with its place when it ends', async () => {
    const { again } = shown(view([queued(1), queued(2), queued(3)]));
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard('{ArrowDown}');
    await frame();
    again(view([queued(2), queued(1), queued(3)]));
    expect(row(2)).toHaveFocus();
    again(view([queued(1), queued(3)]));
    expect(row(1)).toHaveFocus();
  });
});

describe('Queue by pointer', () => {
  const press = (number: number): HTMLElement => within(row(number)).getByTitle(/Drag/);

  it('drags a task to another place', () => {
    const { does } = shown(view([queued(1), queued(2), queued(3)]));
    fireEvent.pointerDown(press(3), { button: 0, clientY: 2 * 76 + 40 });
    fireEvent.pointerMove(window, { clientY: 5 });
    fireEvent.pointerUp(window);
    expect(does.place).toHaveBeenCalledWith(
      expect.objectContaining({ number: 3 }),
      expect.objectContaining({ number: 1 })
    );
  });

  it('gives a drag up with Escape', () => {
    const { does } = shown(view([queued(1), queued(2), queued(3)]));
    fireEvent.pointerDown(press(3), { button: 0, clientY: 2 * 76 + 40 });
    fireEvent.pointerMove(window, { clientY: 5 });
    fireEvent.keyDown(window, { key: 'Escape' });
    fireEvent.pointerUp(window);
    expect(does.place).not.toHaveBeenCalled();
  });
});
