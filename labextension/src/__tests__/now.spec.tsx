import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { Now } from '../components/now';
import type { ILiveState } from '../live';
import { engine, pulse, sample } from './things';

function state(given: Partial<ILiveState> = {}): ILiveState {
  return { connection: 'live', message: '', pulse: pulse(), samples: [], offset: 0, ...given };
}

function shown(given: Partial<ILiveState>, onStart = jest.fn()): jest.Mock {
  render(<Now live={state(given)} starting={false} onStart={onStart} />);
  return onStart;
}

describe('Now', () => {
  it('says that no daemon runs, and starts one', async () => {
    const start = shown({ connection: 'absent', message: 'No llmos daemon runs.', pulse: null });
    expect(screen.getByRole('status')).toHaveTextContent('No daemon runs');
    await userEvent.click(screen.getByRole('button', { name: 'Start the daemon' }));
    expect(start).toHaveBeenCalledTimes(1);
  });

  it('shows model, device, state, speed, slots and cache', () => {
    const busy = {
      model: 'qwen2.5-coder-1.5b',
      tokens_per_second: 13.2,
      prompt_tokens_per_second: 0,
      slots: 4,
      busy: 2,
      waiting: 1,
      cache_tokens: 1200,
      cache_limit: 8192,
      memory_bytes: 1.53e9
    };
    const last = sample({ engine: busy });
    shown({
      pulse: pulse({
        engines: [engine(), engine({ model: 'small-0.5b' })],
        sample: last,
        running: 2,
        waiting: 5
      }),
      samples: [last]
    });
    for (const text of [
      'qwen2.5-coder-1.5b',
      'llama.cpp, ready',
      'cpu',
      'small-0.5b',
      'writes 13 tokens/s',
      '2 of 4 slots busy, 1 waiting',
      '1,200 tokens of 8,192',
      '1.5 GB',
      '2 running, 5 waiting'
    ]) {
      expect(screen.getByText(text)).toBeInTheDocument();
    }
  });

  it('shows a download with its progress', () => {
    const progress = {
      type: 'progress' as const,
      phase: 'downloading' as const,
      detail: 'qwen2.5-coder-1.5b',
      done: 500e6,
      total: 1e9,
      ahead: null,
      starts: null
    };
    shown({ pulse: pulse({ progress }) });
    const bar = screen.getByRole('progressbar', { name: 'Downloading qwen2.5-coder-1.5b' });
    expect(bar).toHaveAttribute('value', '500000000');
    expect(screen.getByText('500 MB of 1.0 GB', { exact: false })).toBeInTheDocument();
  });

  it('says what kept GPUs from being seen, and shows what there is', () => {
    const why = 'The NVIDIA driver is not installed.';
    shown({ samples: [sample({ gpu_why: why })] });
    expect(screen.getByText(`No GPU is seen. ${why}`)).toBeInTheDocument();
    expect(screen.getByRole('img', { name: 'Processors: 20 % of 2' })).toBeInTheDocument();
    expect(screen.getByRole('img', { name: 'Memory: 4.0 GB of 8.0 GB' })).toBeInTheDocument();
  });

  it('shows a GPU, and which task uses it', () => {
    const gpu = {
      id: '0',
      uuid: 'GPU-1',
      name: 'RTX 4090',
      percent: 85,
      memory_used: 12e9,
      memory_total: 24e9,
      watts: 300.4,
      watts_limit: 450,
      celsius: 66,
      core_mhz: 2500,
      memory_mhz: null,
      processes: [{ pid: 77, memory_bytes: 2e9, percent: null, name: 'python', task: 12 }]
    };
    shown({ samples: [sample({ at: 1, gpus: [gpu] }), sample({ at: 2, gpus: [gpu] })] });
    expect(
      screen.getByRole('img', { name: 'GPU: 85 % busy' }).querySelector('polyline')
    ).not.toBeNull();
    expect(screen.getByText('300 W of 450 W, 66 °C, core 2500 MHz')).toBeInTheDocument();
    expect(screen.getByText('task 12, python 77, 2.0 GB')).toBeInTheDocument();
  });

  it('shows what the driver does not tell as not told', () => {
    const bare = { id: '0' } as NonNullable<ILiveState['samples'][0]['gpus']>[0];
    shown({ samples: [sample({ gpus: [{ ...bare, processes: [] }] })] });
    expect(screen.getByText('the driver does not tell how busy it is')).toBeInTheDocument();
  });

  it('keeps what was there while the connection is lost, and says so', () => {
    shown({
      connection: 'lost',
      message: 'The connection was lost.',
      pulse: pulse({ running: 2 })
    });
    expect(screen.getByRole('status')).toHaveTextContent('The connection was lost. Trying again');
    expect(screen.getByText('2 running, 0 waiting')).toBeInTheDocument();
  });
});
