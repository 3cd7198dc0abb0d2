/** Keys that an answer needs for itself. JupyterLab's shortcuts would take them: Enter opens the cell's editor, and
 * letters do things to cells. */

const OWN = new Set([
  'Enter',
  ' ',
  'ArrowLeft',
  'ArrowRight',
  'ArrowUp',
  'ArrowDown',
  'Home',
  'End',
  'Escape'
]);
/** JupyterLab looks for this attribute on its way from the focused element up. */
const SUPPRESS = 'data-lm-suppress-shortcuts';

/** Let answers have their keys, before JupyterLab sees them; all others stay shortcuts. */
export function keepKeys(): void {
  window.addEventListener('keydown', onKeyDown, true);
}

function onKeyDown(event: KeyboardEvent): void {
  const target = event.target instanceof Element ? event.target : null;
  const answer = target?.closest('.jp-llmos-Answer');
  answer?.toggleAttribute(SUPPRESS, isOwn(event, target!));
}

function isOwn(event: KeyboardEvent, target: Element): boolean {
  const command = event.ctrlKey || event.metaKey || event.altKey;
  if (target.closest('.jp-llmos-Answer-editor')) {
    return !(command && event.key.toLowerCase() === 's');
  }
  return !command && !event.shiftKey && OWN.has(event.key);
}
