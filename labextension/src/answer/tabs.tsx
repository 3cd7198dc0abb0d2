/** Tabs as the WAI-ARIA authoring practices describe them: arrow keys move, and what is moved to is shown. */
import React, { useId, useRef } from 'react';

export interface Tab {
  id: string;
  title: string;
  panel: JSX.Element;
}

interface TabsProps {
  label: string;
  tabs: readonly Tab[];
  chosen: string;
  onChoose: (id: string) => void;
}

export function Tabs({ label, tabs, chosen, onChoose }: TabsProps): JSX.Element {
  const prefix = useId();
  const row = useRef<HTMLDivElement>(null);
  const open = tabs.find(tab => tab.id === chosen) ?? tabs[0];
  const onKeyDown = (event: React.KeyboardEvent) => {
    const at = tabs.indexOf(open);
    const to = moved(event.key, at, tabs.length);
    if (to !== null) {
      event.preventDefault();
      onChoose(tabs[to].id);
      (row.current?.children[to] as HTMLElement | undefined)?.focus();
    }
  };
  return (
    <>
      <div
        ref={row}
        role="tablist"
        aria-label={label}
        className="jp-llmos-Answer-tabs"
        onKeyDown={onKeyDown}
      >
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${prefix}-${tab.id}-tab`}
            data-key={`tab-${tab.id}`}
            aria-selected={tab === open}
            aria-controls={tab === open ? `${prefix}-${tab.id}` : undefined}
            tabIndex={tab === open ? 0 : -1}
            onClick={() => onChoose(tab.id)}
          >
            {tab.title}
          </button>
        ))}
      </div>
      <div
        key={open.id}
        role="tabpanel"
        id={`${prefix}-${open.id}`}
        aria-labelledby={`${prefix}-${open.id}-tab`}
        className="jp-llmos-Answer-panel"
        tabIndex={0}
      >
        {open.panel}
      </div>
    </>
  );
}

/** Where a key leads in a row of `count`; null: nowhere. */
export function moved(key: string, at: number, count: number): number | null {
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowLeft':
      return (at + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
