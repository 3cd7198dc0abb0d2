/** What the daemon is doing just now: model, engine, progress, and what the machine is busy with. */
import React from 'react';

import { bytes } from '../format';
import type { ILiveState } from '../live';
import type { EngineStatus, Progress, Pulse } from '../types';
import { figures } from './figures';
import { Utilisation } from './utilisation';

export interface INowProps {
  live: ILiveState;
  /** A daemon is being started. */
  starting: boolean;
  onStart: () => void;
}

export function Now({ live, starting, onStart }: INowProps): JSX.Element {
  const { connection, message, pulse } = live;
  if (connection === 'absent') {
    return (
      <div className="jp-llmos-Now">
        <p role="status">
          {starting
            ? 'The daemon is starting.'
            : 'No daemon runs: it starts with the first request, or here.'}
        </p>
        <button type="button" className="jp-llmos-Button" disabled={starting} onClick={onStart}>
          Start the daemon
        </button>
      </div>
    );
  }
  return (
    <div className="jp-llmos-Now">
      {connection !== 'live' && (
        <p role="status" className={connection === 'connecting' ? '' : 'jp-llmos-Warning'}>
          {message}
          {connection === 'lost' && ' Trying again; what you see is from before.'}
        </p>
      )}
      {pulse && <Engine pulse={pulse} />}
      {pulse?.progress && <ProgressOf progress={pulse.progress} />}
      {live.samples.length > 0 && <Utilisation samples={live.samples} />}
    </div>
  );
}

const STATES: Record<EngineStatus['state'], string> = {
  starting: 'starting',
  ready: 'ready',
  failed: 'failed',
  stopped: 'stopped'
};

function Engine({ pulse }: { pulse: Pulse }): JSX.Element {
  // Those in use come first, then those used last.
  const [engine, ...others] = pulse.engines;
  const sample = pulse.sample?.engine;
  const words = pulse.sample && figures(pulse.sample);
  return (
    <dl className="jp-llmos-Facts">
      <Fact name="Model">
        {engine ? engine.model : 'none is loaded; the next request loads one'}
      </Fact>
      {engine && (
        <>
          <Fact name="Engine">{`${engine.engine}, ${STATES[engine.state] ?? engine.state}`}</Fact>
          <Fact name="Device">{engine.device}</Fact>
          {engine.error && <Fact name="Error">{engine.error}</Fact>}
          {others.length > 0 && (
            <Fact name="Loaded too">{others.map(other => other.model).join(', ')}</Fact>
          )}
        </>
      )}
      {sample && (
        <>
          <Fact name="Just now">{words?.writes}</Fact>
          <Fact name="Slots">{words?.slots}</Fact>
          {sample.cache_tokens != null && (
            <Fact name="Cache">
              {`${sample.cache_tokens.toLocaleString('en-GB')} tokens`}
              {sample.cache_limit != null && ` of ${sample.cache_limit.toLocaleString('en-GB')}`}
            </Fact>
          )}
          {sample.memory_bytes != null && <Fact name="Memory">{bytes(sample.memory_bytes)}</Fact>}
        </>
      )}
      <Fact name="Tasks">
        {`${pulse.running} running, ${pulse.waiting} waiting`}
        {pulse.paused > 0 && `, ${pulse.paused} paused`}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd dir="auto">{children}</dd>
    </div>
  );
}

const PHASES: Record<Progress['phase'], string> = {
  downloading: 'Downloading',
  verifying: 'Verifying',
  loading: 'Loading',
  waiting: 'Waiting',
  reading: 'Reading the prompt',
  restarting: 'Restarting'
};

/** A download or a load, as far as it is. */
export function ProgressOf({ progress }: { progress: Progress }): JSX.Element {
  const known = progress.total > 0;
  const measure =
    progress.phase === 'downloading' || progress.phase === 'verifying' ? bytes : String;
  const words = [PHASES[progress.phase] ?? progress.phase, progress.detail]
    .filter(Boolean)
    .join(' ');
  return (
    <div className="jp-llmos-Progress">
      <span dir="auto">{words}</span>
      {known && <span>{` ${measure(progress.done)} of ${measure(progress.total)}`}</span>}
      {known ? (
        <progress aria-label={words} value={progress.done} max={progress.total} />
      ) : (
        <progress aria-label={words} />
      )}
    </div>
  );
}
