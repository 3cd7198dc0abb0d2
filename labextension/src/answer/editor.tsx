/** The answer's code in an editor, to be changed before it runs. */
import React, { useEffect, useRef } from 'react';

export interface Editor {
  readonly text: string;
  focus(): void;
  dispose(): void;
}

/** Makes an editor in this node. */
export type MakeEditor = (host: HTMLElement, text: string, onChange: () => void) => Editor;

interface EditProps {
  draft: string;
  make: MakeEditor;
  /** Called with each change, so that nothing is lost when the view is drawn anew. */
  onChange: (text: string) => void;
  onRun: (text: string) => void;
  onCancel: () => void;
}

export function Edit({ draft, make, onChange, onRun, onCancel }: EditProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  useEffect(() => {
    const made = make(host.current!, draft, () => onChange(made.text));
    editor.current = made;
    made.focus();
    return () => made.dispose();
    // The editor keeps its own text from here on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const run = () => onRun(editor.current?.text ?? draft);
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter' && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      run();
    } else if (event.key === 'Escape') {
      onCancel();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="jp-llmos-Answer-edit" role="group" aria-label="Edit the code">
      <div ref={host} className="jp-llmos-Answer-editor" onKeyDownCapture={onKeyDown} />
      <div className="jp-llmos-Answer-toolbar">
        <button type="button" data-key="run-edited" title="Shift+Enter" onClick={run}>
          Run edited
        </button>
        <button type="button" data-key="cancel" title="Escape" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </div>
  );
}
