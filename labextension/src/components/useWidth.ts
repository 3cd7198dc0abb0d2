import { type RefObject, useEffect, useRef, useState } from 'react';

/** Pixels, until the element has been measured. */
const FIRST = 320;

/** The width of an element, as it changes; the element is to be given the first as `ref`. */
export function useWidth(): [RefObject<HTMLDivElement>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(FIRST);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      // 0: in a section that is closed.
      if (entry.contentRect.width > 0) {
        setWidth(Math.floor(entry.contentRect.width));
      }
    });
    if (box.current) {
      observer.observe(box.current);
    }
    return () => observer.disconnect();
  }, []);
  return [box, width];
}
