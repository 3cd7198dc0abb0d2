import { useSyncExternalStore } from 'react';

import type { ILiveState, LiveStore } from './live';

/** The state of the live store, of which a component is a picture. */
export function useLive(live: LiveStore): ILiveState {
  return useSyncExternalStore(
    listener => {
      live.changed.connect(listener);
      return () => {
        live.changed.disconnect(listener);
      };
    },
    () => live.state
  );
}
