/** An answer's buttons: one stop of the Tab key, arrow keys move between them. */
import React, { useRef, useState } from 'react';

import { Icon } from './icons';
import type { ButtonName, Offer } from './offers';
import { moved } from './tabs';

interface ToolbarProps {
  offers: readonly Offer[];
  onPress: (name: ButtonName) => void;
}

const THUMBS: Partial<Record<ButtonName, string>> = { 'Good answer': 'up', 'Bad answer': 'down' };

export function Toolbar({ offers, onPress }: ToolbarProps): JSX.Element {
  const row = useRef<HTMLDivElement>(null);
  const [stop, setStop] = useState<ButtonName | ''>('');
  const at = Math.max(
    0,
    offers.findIndex(offer => offer.name === stop)
  );
  const onKeyDown = (event: React.KeyboardEvent) => {
    const to = moved(event.key, at, offers.length);
    if (to !== null) {
      event.preventDefault();
      (row.current?.children[to] as HTMLElement | undefined)?.focus();
    }
  };
  return (
    <KeepFocus row={row}>
      <div
        ref={row}
        role="toolbar"
        aria-label="Answer"
        className="jp-llmos-Answer-toolbar"
        onKeyDown={onKeyDown}
      >
        {offers.map((offer, i) => (
          <button
            key={offer.name}
            type="button"
            data-key={offer.name}
            title={THUMBS[offer.name] ? `${offer.name}: ${offer.title}` : offer.title}
            aria-label={THUMBS[offer.name] ? offer.name : undefined}
            aria-disabled={offer.disabled || undefined}
            aria-pressed={offer.pressed}
            tabIndex={i === at ? 0 : -1}
            onFocus={() => setStop(offer.name)}
            onClick={() => {
              if (!offer.disabled) {
                onPress(offer.name);
              }
            }}
          >
            {THUMBS[offer.name] ? <Icon name={THUMBS[offer.name]!} /> : offer.name}
          </button>
        ))}
      </div>
    </KeepFocus>
  );
}

interface KeepFocusProps {
  row: React.RefObject<HTMLElement>;
  children: JSX.Element;
}

/** A button that is gone once it was pressed takes the focus with it: one that is still there gets it. */
class KeepFocus extends React.Component<KeepFocusProps> {
  override getSnapshotBeforeUpdate(): boolean {
    return this.props.row.current?.contains(document.activeElement) ?? false;
  }

  override componentDidUpdate(_props: KeepFocusProps, _state: unknown, had: boolean): void {
    const row = this.props.row.current;
    if (had && row && !row.contains(document.activeElement)) {
      row.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    }
  }

  override render(): JSX.Element {
    return this.props.children;
  }
}
