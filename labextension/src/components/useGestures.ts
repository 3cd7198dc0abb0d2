import { type RefObject, useEffect, useRef } from 'react';

import type { IView } from './gantt-view';

/** Pixels the pointer moves before a press becomes a drag, and not a click on a bar. */
const SLOP = 4;

/**
 * Zoom with the wheel, at the pointer; move by dragging, or with the wheel to the side.
 *
 * Where there are more rows than fit, the wheel alone scrolls them, and zooms together with Ctrl.
 */
export function useGestures(
  box: RefObject<HTMLElement>,
  chart: RefObject<SVGSVGElement>,
  view: IView
): void {
  const latest = useRef(view);
  useEffect(() => {
    latest.current = view;
  }, [view]);
  useEffect(() => {
    const node = chart.current;
    const scroller = box.current;
    if (!node || !scroller) {
      return undefined;
    }
    const width = (): number => Math.max(node.getBoundingClientRect().width, 1);
    const onWheel = (event: WheelEvent): void => {
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const scrolls = scroller.scrollHeight > scroller.clientHeight + 1;
      if (sideways) {
        const by = event.deltaX || event.deltaY;
        latest.current.pan(Math.max(-0.5, Math.min(0.5, by / width())));
      } else if (event.ctrlKey || event.metaKey || !scrolls) {
        const at = (event.clientX - node.getBoundingClientRect().left) / width();
        latest.current.zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY / 300))), at);
      } else {
        return;
      }
      event.preventDefault();
    };
    let last: number | null = null;
    let dragging = false;
    const onDown = (event: PointerEvent): void => {
      last = event.button === 0 ? event.clientX : null;
      dragging = false;
    };
    const onMove = (event: PointerEvent): void => {
      if (last === null || (!dragging && Math.abs(event.clientX - last) < SLOP)) {
        return;
      }
      if (!dragging) {
        dragging = true;
        node.setPointerCapture(event.pointerId);
      }
      latest.current.pan((last - event.clientX) / width());
      last = event.clientX;
    };
    const onUp = (): void => {
      last = null;
      dragging = false;
    };
    // Not through React: its wheel listeners are passive, and cannot keep the page from scrolling.
    node.addEventListener('wheel', onWheel, { passive: false });
    node.addEventListener('pointerdown', onDown);
    node.addEventListener('pointermove', onMove);
    node.addEventListener('pointerup', onUp);
    node.addEventListener('pointercancel', onUp);
    return () => {
      node.removeEventListener('wheel', onWheel);
      node.removeEventListener('pointerdown', onDown);
      node.removeEventListener('pointermove', onMove);
      node.removeEventListener('pointerup', onUp);
      node.removeEventListener('pointercancel', onUp);
    };
  }, [box, chart]);
}
