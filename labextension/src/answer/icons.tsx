/** Small drawings of states and severities. Each stands beside its word, which is what is read aloud. */
import React from 'react';

const PATHS: Record<string, JSX.Element> = {
  waiting: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.5V8l2.5 1.5" />
    </>
  ),
  writing: <path d="M3 13l.7-3L11 2.7l2.3 2.3L6 12.3 3 13zM9.5 4.2l2.3 2.3" />,
  rehearsing: <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3" />,
  asking: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6 6.5a2 2 0 1 1 2.8 1.8c-.6.3-.8.6-.8 1.2M8 11.3v.4" />
    </>
  ),
  running: <path d="M5 3l8 5-8 5z" />,
  done: <path d="M3 8.5l3.5 3.5L13 4.5" />,
  shown: (
    <>
      <path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8z" />
      <circle cx="8" cy="8" r="1.8" />
    </>
  ),
  failed: <path d="M4 4l8 8M12 4l-8 8" />,
  stopped: <path d="M4 4h8v8H4z" />,
  undone: <path d="M6 3L3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6" />,
  error: (
    <>
      <path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5z" />
      <path d="M6 6l4 4M10 6l-4 4" />
    </>
  ),
  warning: <path d="M8 2l6.5 11.5h-13zM8 6.5v3.3M8 11.6v.3" />,
  note: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.3v3.9M8 4.8v.3" />
    </>
  ),
  up: (
    <path d="M2.5 7.5H5v6H2.5zM5 7.5L8 2c1 0 1.7.8 1.5 1.8L9 6.5h3.6c.8 0 1.3.7 1.1 1.5l-1.1 4.5c-.2.6-.6 1-1.2 1H5" />
  ),
  down: (
    <path d="M13.5 8.5H11v-6h2.5zM11 8.5L8 14c-1 0-1.7-.8-1.5-1.8L7 9.5H3.4c-.8 0-1.3-.7-1.1-1.5l1.1-4.5c.2-.6.6-1 1.200-1H11" />
  )
};

export function Icon({ name }: { name: string }): JSX.Element {
  return (
    <svg
      className="jp-llmos-Answer-icon"
      viewBox="0 0 16 16"
      width="14"
      height="14"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  );
}
