/** The models of this machine: what each needs, whether it fits and why; fetching, loading, keeping and removing them. */
import React, { useState } from 'react';

import { ago, bytes } from '../format';
import type { EngineStatus, ModelInfo, Progress } from '../types';
import { ProgressOf } from './now';

export interface IModelActions {
  /** Each resolves when it is done, which may take minutes, and rejects with one sentence. */
  onPull: (name: string) => Promise<unknown>;
  onLoad: (name: string) => Promise<unknown>;
  onUnload: (name: string) => Promise<unknown>;
  /** Keep it loaded whatever else is, or no longer. */
  onPin: (name: string, pinned: boolean) => Promise<unknown>;
  onRemove: (name: string) => Promise<unknown>;
}

export interface IModelsProps extends IModelActions {
  /** null: not known yet. */
  models: readonly ModelInfo[] | null;
  /** One sentence; empty: all is well. */
  error: string;
  engines: readonly EngineStatus[];
  /** By the daemon's clock, in seconds. */
  now: number;
  /** A download or a load that goes on, whoever began it. */
  progress: Progress | null;
}

type Doing = 'pull' | 'load' | 'unload' | 'pin' | 'unpin' | 'remove';

export function Models(props: IModelsProps): JSX.Element {
  const { models, error, engines, now, progress } = props;
  const [doing, setDoing] = useState<ReadonlyMap<string, Doing>>(new Map());
  const [failures, setFailures] = useState<ReadonlyMap<string, string>>(new Map());
  const act = (name: string, what: Doing, done: Promise<unknown>): void => {
    setDoing(old => new Map(old).set(name, what));
    setFailures(old => without(old, name));
    done
      .catch((failure: unknown) =>
        setFailures(old =>
          new Map(old).set(name, failure instanceof Error ? failure.message : String(failure))
        )
      )
      .finally(() => setDoing(old => without(old, name)));
  };
  const goesOn = progress ? progressOwner(models ?? [], doing, progress) : undefined;
  return (
    <div className="jp-llmos-Models">
      {error && (
        <p role="alert" className="jp-llmos-Warning" dir="auto">
          {error}
        </p>
      )}
      {progress && goesOn === undefined && <ProgressOf progress={progress} />}
      {models === null && !error && <p role="status">Asking which models there are.</p>}
      {models?.length === 0 && <p role="status">No models are known.</p>}
      <ul aria-label="Models">
        {models?.map(model => (
          <Model
            key={model.name}
            model={model}
            engine={engines.find(engine => engine.model.split('@')[0] === model.name) ?? null}
            now={now}
            progress={goesOn === model.name ? progress : null}
            doing={doing.get(model.name)}
            failure={failures.get(model.name)}
            onPull={() => act(model.name, 'pull', props.onPull(model.name))}
            onLoad={() => act(model.name, 'load', props.onLoad(model.name))}
            onUnload={() => act(model.name, 'unload', props.onUnload(model.name))}
            onPin={(name, pinned) =>
              act(model.name, pinned ? 'pin' : 'unpin', props.onPin(name, pinned))
            }
            onRemove={() => act(model.name, 'remove', props.onRemove(model.name))}
          />
        ))}
      </ul>
    </div>
  );
}

interface IModelProps {
  model: ModelInfo;
  /** The engine, if it runs this model. */
  engine: EngineStatus | null;
  now: number;
  progress: Progress | null;
  doing: Doing | undefined;
  failure: string | undefined;
  onPull: () => void;
  onLoad: () => void;
  onUnload: () => void;
  onPin: (name: string, pinned: boolean) => void;
  onRemove: () => void;
}

const WORDS: Record<Doing, string> = {
  pull: 'Fetching it.',
  load: 'Loading it.',
  unload: 'Unloading it.',
  pin: 'Keeping it loaded.',
  unpin: 'Letting it go.',
  remove: 'Removing it.'
};

function Model(props: IModelProps): JSX.Element {
  const { model, engine, now, progress, doing, failure } = props;
  const loaded = engine !== null && (engine.state === 'ready' || engine.state === 'starting');
  const button = (name: string, does: () => void): JSX.Element => (
    <button
      type="button"
      className="jp-llmos-Button"
      aria-label={`${name} ${model.name}`}
      // Not disabled: it would lose the focus.
      aria-disabled={doing !== undefined}
      onClick={doing === undefined ? does : undefined}
    >
      {name}
    </button>
  );
  return (
    <li className="jp-llmos-Model">
      <h4>
        <span dir="auto">{model.title || model.name}</span>
        {model.automatic && <span className="jp-llmos-Badge">automatic choice</span>}
        {engine && (
          <span className="jp-llmos-Badge">
            {loaded ? `loaded, ${engine.state}` : engine.state}
          </span>
        )}
        {loaded && engine.pinned && <span className="jp-llmos-Badge">pinned</span>}
      </h4>
      <p className="jp-llmos-Row-facts" dir="auto">
        {[
          model.name,
          model.size_bytes > 0 ? bytes(model.size_bytes) : 'size not known',
          model.memory_bytes > 0 ? `${bytes(model.memory_bytes)} of memory` : '',
          model.context > 0 ? `${model.context.toLocaleString('en-GB')} tokens of context` : '',
          `licence ${model.licence || 'unknown'}`,
          model.downloaded ? 'on disk' : 'not on disk'
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <p dir="auto">
        <span aria-hidden="true">{model.fits ? '✓ ' : '✕ '}</span>
        {model.fits ? 'Fits' : 'Does not fit'}
        {model.why && `: ${model.why}`}
      </p>
      {loaded && (
        <p dir="auto">
          {`${bytes(engine.memory_bytes)} of memory on ${engine.device}, `}
          {engine.busy_slots > 0 ? 'in use' : `used ${ago(now - engine.last_used)}`}
        </p>
      )}
      {engine?.error && (
        <p className="jp-llmos-Warning" dir="auto">
          {engine.error}
        </p>
      )}
      {progress ? <ProgressOf progress={progress} /> : doing && <p role="status">{WORDS[doing]}</p>}
      {failure && (
        <p role="alert" className="jp-llmos-Warning" dir="auto">
          {failure}
        </p>
      )}
      <div className="jp-llmos-Row-actions">
        {!model.downloaded && button('Pull', props.onPull)}
        {loaded ? button('Unload', props.onUnload) : model.fits && button('Load', props.onLoad)}
        {loaded &&
          button(engine.pinned ? 'Unpin' : 'Pin', () => props.onPin(engine.model, !engine.pinned))}
        {model.downloaded && !loaded && (
          <Remove name={model.name} busy={doing !== undefined} onRemove={props.onRemove} />
        )}
      </div>
    </li>
  );
}

/** Asks once more before it removes. */
function Remove(props: { name: string; busy: boolean; onRemove: () => void }): JSX.Element {
  const { name, busy, onRemove } = props;
  const [asking, setAsking] = useState<boolean | null>(null);
  if (!asking) {
    return (
      <button
        type="button"
        className="jp-llmos-Button"
        aria-label={`Remove ${name}`}
        autoFocus={asking === false}
        aria-disabled={busy}
        onClick={() => !busy && setAsking(true)}
      >
        Remove
      </button>
    );
  }
  return (
    <span role="group" aria-label={`Remove ${name} from this machine?`}>
      <span dir="auto">Remove its files from this machine? </span>
      <button
        type="button"
        className="jp-llmos-Button"
        autoFocus
        onClick={() => setAsking(false)}
        onKeyDown={event => event.key === 'Escape' && setAsking(false)}
      >
        Keep
      </button>
      <button
        type="button"
        className="jp-llmos-Button"
        aria-label={`Remove the files of ${name}`}
        onClick={() => {
          setAsking(false);
          onRemove();
        }}
      >
        Remove
      </button>
    </span>
  );
}

/** The model that a progress is of: the one it names, else the only one that something was begun with here. */
function progressOwner(
  models: readonly ModelInfo[],
  doing: ReadonlyMap<string, Doing>,
  progress: Progress
): string | undefined {
  const detail = progress.detail ?? '';
  const named = models
    .filter(model => detail.includes(model.name))
    .sort((a, b) => b.name.length - a.name.length);
  if (named.length > 0) {
    return named[0].name;
  }
  const begun = [...doing].filter(([, what]) => what === 'pull' || what === 'load');
  return begun.length === 1 ? begun[0][0] : undefined;
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
