import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { type ISettingsProps, Settings } from '../components/settings';
import type { Config } from '../types';

const SETTINGS = {
  model: 'auto',
  mode: 'auto',
  retries: 'auto',
  timeout: 600,
  replay: true
} as Config;

function show(changes: Partial<ISettingsProps> = {}): ReturnType<typeof render> & ISettingsProps {
  const props: ISettingsProps = {
    settings: SETTINGS,
    error: '',
    onChange: jest.fn(() => Promise.resolve()),
    onOpenPanelSettings: jest.fn(),
    ...changes
  };
  return { ...render(<Settings {...props} />), ...props };
}

test('each setting has a label and a sentence of help', () => {
  show();
  expect(screen.getByRole('textbox', { name: 'Time limit' })).toHaveValue('600');
  expect(screen.getByRole('textbox', { name: 'Time limit' })).toHaveAccessibleDescription(
    'Seconds for the model to write. Code runs as long as it takes.'
  );
  expect(screen.getByRole('combobox', { name: 'Mode' })).toHaveValue('auto');
  expect(screen.getByRole('checkbox', { name: 'Replay' })).toBeChecked();
});

test('what is changed is told to the daemon by name, and nothing that was not', async () => {
  const { onChange } = show();
  const limit = screen.getByRole('textbox', { name: 'Time limit' });
  await userEvent.clear(limit);
  await userEvent.type(limit, '30{Enter}');
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Mode' }), 'ask');
  await userEvent.click(screen.getByRole('checkbox', { name: 'Replay' }));
  await userEvent.click(screen.getByRole('textbox', { name: 'Model' }));
  await userEvent.tab();
  expect((onChange as jest.Mock).mock.calls.slice(0, 1)).toEqual([['timeout', '30']]);
  expect((onChange as jest.Mock).mock.calls).toContainEqual(['mode', 'ask']);
  expect((onChange as jest.Mock).mock.calls).toContainEqual(['replay', 'false']);
  expect((onChange as jest.Mock).mock.calls.map(([name]) => name)).not.toContain('model');
});

test('what the daemon does not accept stays in the field, with its sentence', async () => {
  const sentence = "retries cannot be 'many': input should be a valid integer.";
  show({ onChange: () => Promise.reject(new Error(sentence)) });
  const field = screen.getByRole('textbox', { name: 'Repairs' });
  await userEvent.clear(field);
  await userEvent.type(field, 'many{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent(sentence);
  expect(field).toHaveValue('many');
  expect(field).toBeInvalid();
  expect(field).toHaveAccessibleDescription(/cannot be 'many'/);
  await userEvent.type(field, '{Escape}');
  expect(field).toHaveValue('auto');
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a value that was changed elsewhere comes in, and the focus stays', async () => {
  const { rerender, ...props } = show();
  const field = screen.getByRole('textbox', { name: 'Time limit' });
  await userEvent.click(field);
  rerender(<Settings {...props} settings={{ ...SETTINGS, timeout: 42 }} />);
  expect(field).toHaveValue('42');
  expect(field).toHaveFocus();
});

test('settings of a newer daemon can be seen and changed by their name', () => {
  show({ settings: { ...SETTINGS, mode: 'dream', constructor_x: '<b>' } as unknown as Config });
  expect(screen.getByRole('textbox', { name: 'constructor_x' })).toHaveValue('<b>');
  expect(screen.getByRole('combobox', { name: 'Mode' })).toHaveValue('dream');
});

test("the panel's own settings are in JupyterLab's editor", async () => {
  const { onOpenPanelSettings } = show({ settings: null, error: 'No daemon runs.' });
  expect(screen.getByRole('alert')).toHaveTextContent('No daemon runs.');
  await userEvent.click(screen.getByRole('button', { name: 'Settings of this panel' }));
  expect(onOpenPanelSettings).toHaveBeenCalledTimes(1);
});
