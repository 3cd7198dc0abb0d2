import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { type IModelsProps, Models } from '../components/models';
import type { ModelInfo } from '../types';
import { engine } from './things';

const SMALL: ModelInfo = {
  name: 'small-0.5b',
  title: 'Small 0.5B',
  size_bytes: 491_000_000,
  memory_bytes: 800_000_000,
  context: 32_768,
  licence: 'Apache-2.0',
  downloaded: true,
  fits: true,
  automatic: true,
  why: 'needs 800 MB of the 4.0 GB of free memory'
};
const LARGE: ModelInfo = {
  ...SMALL,
  name: 'large-7b',
  title: '<b>Large</b>',
  downloaded: false,
  fits: false,
  automatic: false,
  why: 'needs 6.1 GB of memory and 4.0 GB are free'
};
const ENGINE = engine({ model: 'small-0.5b', memory_bytes: 1.1e9, last_used: 820, busy_slots: 0 });

function show(changes: Partial<IModelsProps> = {}): IModelsProps {
  const props: IModelsProps = {
    models: [SMALL, LARGE],
    error: '',
    engines: [],
    now: 1000,
    progress: null,
    onPull: jest.fn(() => Promise.resolve()),
    onLoad: jest.fn(() => Promise.resolve()),
    onUnload: jest.fn(() => Promise.resolve()),
    onPin: jest.fn(() => Promise.resolve()),
    onRemove: jest.fn(() => Promise.resolve()),
    ...changes
  };
  render(<Models {...props} />);
  return props;
}

const item = (index: number): HTMLElement => screen.getAllByRole('listitem')[index];

test('each model says what it needs, whether it fits and why', () => {
  show();
  expect(item(0)).toHaveTextContent('Small 0.5Bautomatic choice');
  expect(item(0)).toHaveTextContent(
    'small-0.5b · 491 MB · 800 MB of memory · 32,768 tokens of context · licence Apache-2.0 · on disk'
  );
  expect(item(0)).toHaveTextContent('Fits: needs 800 MB of the 4.0 GB of free memory');
  expect(item(1)).toHaveTextContent('<b>Large</b>');
  expect(item(1)).toHaveTextContent('Does not fit: needs 6.1 GB of memory and 4.0 GB are free');
});

test('only what makes sense can be done: pull, load, unload, remove', () => {
  show({ engines: [ENGINE] });
  const names = (index: number): (string | null)[] =>
    within(item(index))
      .getAllByRole('button')
      .map(button => button.getAttribute('aria-label'));
  expect(item(0)).toHaveTextContent('loaded, ready');
  expect(names(0)).toEqual(['Unload small-0.5b', 'Pin small-0.5b']);
  expect(names(1)).toEqual(['Pull large-7b']);
});

test('pulling shows how far it is, once, and a failure is said at the model', async () => {
  let fail: (error: Error) => void = () => undefined;
  const onPull = jest.fn(() => new Promise<void>((_, reject) => (fail = reject)));
  show({
    onPull,
    progress: {
      type: 'progress',
      phase: 'downloading',
      detail: 'large-7b',
      done: 500_000_000,
      total: 2_000_000_000,
      ahead: null,
      starts: null
    }
  });
  const pull = screen.getByRole('button', { name: 'Pull large-7b' });
  await userEvent.click(pull);
  await userEvent.click(pull);
  expect(onPull.mock.calls).toEqual([['large-7b']]);
  const bar = within(item(1)).getByRole('progressbar');
  expect(bar).toHaveAttribute('value', '500000000');
  expect(screen.getAllByRole('progressbar')).toHaveLength(1);
  fail(new Error('The disk is full: free 2 GB and pull again.'));
  expect(await within(item(1)).findByRole('alert')).toHaveTextContent('The disk is full');
  expect(pull).toHaveAttribute('aria-disabled', 'false');
});

test('a progress of nothing that is listed stands above', () => {
  show({
    progress: {
      type: 'progress',
      phase: 'loading',
      detail: 'own.gguf',
      done: 0,
      total: 0,
      ahead: null,
      starts: null
    }
  });
  expect(within(screen.getByRole('list')).queryByRole('progressbar')).toBeNull();
  expect(screen.getByRole('progressbar', { name: 'Loading own.gguf' })).toBeInTheDocument();
});

test('removing asks once more, and the focus does not get lost', async () => {
  const { onRemove } = show();
  await userEvent.click(screen.getByRole('button', { name: 'Remove small-0.5b' }));
  expect(screen.getByRole('button', { name: 'Keep' })).toHaveFocus();
  await userEvent.keyboard('{Escape}');
  expect(screen.getByRole('button', { name: 'Remove small-0.5b' })).toHaveFocus();
  expect(onRemove).not.toHaveBeenCalled();
  await userEvent.keyboard('{Enter}');
  await userEvent.click(screen.getByRole('button', { name: 'Remove the files of small-0.5b' }));
  expect(onRemove).toHaveBeenCalledWith('small-0.5b');
});

test('loading and unloading are told to the daemon', async () => {
  const loading = show();
  await userEvent.click(screen.getByRole('button', { name: 'Load small-0.5b' }));
  expect(loading.onLoad).toHaveBeenCalledWith('small-0.5b');
});

test('of several that are loaded each says its memory and its last use, and can be kept or let go', async () => {
  const other = engine({ model: 'large-7b@cpu', memory_bytes: 6.1e9, pinned: true, busy_slots: 1 });
  const { onPin, onUnload } = show({ engines: [ENGINE, other] });
  expect(item(0)).toHaveTextContent('1.1 GB of memory on cpu, used 3 min ago');
  expect(item(0)).not.toHaveTextContent('pinned');
  expect(item(1)).toHaveTextContent('pinned');
  expect(item(1)).toHaveTextContent('6.1 GB of memory on cpu, in use');
  await userEvent.click(screen.getByRole('button', { name: 'Pin small-0.5b' }));
  expect(onPin).toHaveBeenCalledWith('small-0.5b', true);
  await userEvent.click(screen.getByRole('button', { name: 'Unpin large-7b' }));
  expect(onPin).toHaveBeenCalledWith('large-7b@cpu', false);
  await userEvent.click(screen.getByRole('button', { name: 'Unload large-7b' }));
  expect(onUnload).toHaveBeenCalledWith('large-7b');
});

test('an engine that failed says why, and can be loaded again', () => {
  show({ engines: [{ ...ENGINE, state: 'failed', error: 'It ended while loading.' }] });
  expect(item(0)).toHaveTextContent('It ended while loading.');
  expect(screen.getByRole('button', { name: 'Load small-0.5b' })).toBeInTheDocument();
});
