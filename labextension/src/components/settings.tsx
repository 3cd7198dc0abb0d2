/** The daemon's settings as a form: each is saved by itself, and what the daemon says of it stands beside it. */
import React, { useId, useState } from 'react';

import type { Config } from '../types';
import { fieldOf } from './settingsFields';

export interface ISettingsProps {
  /** null: not known yet. */
  settings: Config | null;
  /** One sentence; empty: all is well. */
  error: string;
  /** Resolves when the daemon has it on disk; rejects with one sentence. */
  onChange: (name: string, value: string) => Promise<unknown>;
  /** Show the panel's own settings, in JupyterLab's Settings Editor. */
  onOpenPanelSettings: () => void;
}

export function Settings(props: ISettingsProps): JSX.Element {
  const { settings, error, onChange, onOpenPanelSettings } = props;
  return (
    <div className="jp-llmos-Settings">
      <p>
        <button type="button" className="jp-llmos-Button" onClick={onOpenPanelSettings}>
          Settings of this panel
        </button>
      </p>
      {error && (
        <p role="alert" className="jp-llmos-Warning" dir="auto">
          {error}
        </p>
      )}
      {settings === null && !error && <p role="status">Asking for the settings.</p>}
      {settings && (
        <form aria-label="Settings of all notebooks" onSubmit={event => event.preventDefault()}>
          {Object.entries(settings).map(([name, value]) => (
            <Field key={name} name={name} value={value} onChange={onChange} />
          ))}
        </form>
      )}
    </div>
  );
}

interface IFieldProps {
  name: string;
  value: unknown;
  onChange: ISettingsProps['onChange'];
}

function Field({ name, value, onChange }: IFieldProps): JSX.Element {
  const { label, help, choices } = fieldOf(name);
  const saved = String(value);
  const [text, setText] = useState(saved);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState('');
  const [known, setKnown] = useState(saved);
  if (saved !== known) {
    // A value that came from elsewhere takes the place of what stands here.
    setKnown(saved);
    setText(saved);
    setError('');
  }
  const id = useId();
  const save = async (wanted: string): Promise<void> => {
    setText(wanted);
    setError('');
    if (wanted.trim() === saved) {
      return;
    }
    setSaving(true);
    try {
      await onChange(name, wanted.trim());
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    } finally {
      setSaving(false);
    }
  };
  const common = {
    id,
    'aria-describedby': error ? `${id}-help ${id}-error` : `${id}-help`,
    'aria-invalid': error !== ''
  };
  return (
    <div className="jp-llmos-Field">
      <label htmlFor={id}>{label}</label>
      {typeof value === 'boolean' ? (
        <input
          {...common}
          type="checkbox"
          checked={text === 'true'}
          onChange={event => void save(String(event.target.checked))}
        />
      ) : choices ? (
        <select
          {...common}
          className="jp-llmos-Input"
          value={text}
          onChange={event => void save(event.target.value)}
        >
          {/* What a newer daemon has chosen is shown as well. */}
          {[...new Set([...choices, saved])].map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type="text"
          className="jp-llmos-Input"
          dir="auto"
          spellCheck={false}
          value={text}
          onChange={event => setText(event.target.value)}
          onBlur={() => void save(text)}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              void save(text);
            } else if (event.key === 'Escape') {
              setText(saved);
              setError('');
            }
          }}
        />
      )}
      <p id={`${id}-help`} className="jp-llmos-Field-help">
        {saving ? 'Saving.' : help}
      </p>
      {error && (
        <p id={`${id}-error`} role="alert" className="jp-llmos-Warning" dir="auto">
          {error}
        </p>
      )}
    </div>
  );
}
