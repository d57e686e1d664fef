/** What the charts use of Observable Plot: nothing else of it is loaded. */

export {
  areaY,
  dot,
  lineY,
  plot,
  pointer,
  pointerX,
  ruleX,
  ruleY,
  text,
  tickX,
  tip,
} from "@observablehq/plot";
