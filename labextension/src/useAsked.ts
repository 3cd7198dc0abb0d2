import type { ISignal } from '@lumino/signaling';
import { useEffect, useSyncExternalStore } from 'react';

import type { Asked, IAsked } from './asked';

/** The state of something that is asked for: at once, and again with each of these signals while it is visible. */
export function useAsked<T>(
  asked: Asked<T>,
  visible: boolean,
  ...signals: readonly ISignal<object, void>[]
): IAsked<T> {
  useEffect(() => {
    if (!visible) {
      return;
    }
    const refresh = (): void => asked.refresh();
    refresh();
    for (const signal of signals) {
      signal.connect(refresh);
    }
    return () => {
      for (const signal of signals) {
        signal.disconnect(refresh);
      }
    };
    // The signals are those of stores that live as long as the panel.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asked, visible]);
  return useSyncExternalStore(
    listener => {
      asked.changed.connect(listener);
      return () => {
        asked.changed.disconnect(listener);
      };
    },
    () => asked.state
  );
}
