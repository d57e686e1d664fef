/** Charts as files: an SVG that stands alone, and a PNG drawn from it. */

export interface Caption {
  title: string;
  /** What the picture is of: release, base, thresholds. */
  source: string;
  /** Names of the series, each with the CSS colour of its line. */
  legend: { label: string; colour: string }[];
}

const SVG = "http://www.w3.org/2000/svg";
const INHERITED = ["fill", "stroke", "color", "stop-color"] as const;
const MARGIN = 16;

function add(parent: Element, name: string, attributes: Record<string, string | number>, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  parent.append(element);
  return element;
}

/** A CSS colour as it is computed on the page, such as that of `var(--accent)`. */
export function computed(colour: string): string {
  const probe = document.createElement("i");
  probe.style.color = colour;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** The chart with title, legend and source, in the colours that it has on the page. */
export function standalone(chart: SVGSVGElement, caption: Caption): string {
  const [width, height] = [chart.clientWidth, chart.clientHeight];
  const copy = chart.cloneNode(true) as SVGSVGElement;
  const originals = [chart, ...chart.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const original = originals[i];
    if (!original) return;
    const style = getComputedStyle(original);
    for (const name of INHERITED) {
      if (original.hasAttribute(name)) element.setAttribute(name, style.getPropertyValue(name));
    }
    element.removeAttribute("class");
  });
  for (const tip of copy.querySelectorAll('[aria-label="tip"]')) tip.remove();

  const top = 44 + 20 * caption.legend.length;
  const whole = document.createElementNS(SVG, "svg");
  const size = { width: width + 2 * MARGIN, height: height + top + 40 };
  for (const [name, value] of Object.entries(size)) whole.setAttribute(name, String(value));
  whole.setAttribute("xmlns", SVG);
  whole.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  whole.setAttribute("font-family", "system-ui, sans-serif");
  whole.setAttribute("font-size", "12");
  const [surface, text, muted] = ["--surface", "--text", "--muted"].map((name) =>
    computed(`var(${name})`),
  ) as [string, string, string];
  add(whole, "rect", { width: "100%", height: "100%", fill: surface });
  const heading = { x: MARGIN, y: 28, fill: text, "font-size": 16, "font-weight": 600 };
  add(whole, "text", heading, caption.title);
  caption.legend.forEach(({ label, colour }, i) => {
    const y = 52 + 20 * i;
    add(whole, "rect", { x: MARGIN, y: y - 9, width: 14, height: 10, fill: computed(colour) });
    add(whole, "text", { x: MARGIN + 22, y, fill: text }, label);
  });
  copy.setAttribute("x", String(MARGIN));
  copy.setAttribute("y", String(top));
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.setAttribute("color", muted);
  whole.append(copy);
  add(whole, "text", { x: MARGIN, y: size.height - 14, fill: muted, "font-size": 11 }, caption.source);
  return new XMLSerializer().serializeToString(whole);
}

/** Have the browser save something under a name. */
export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export const svgBlob = (svg: string) => new Blob([svg], { type: "image/svg+xml" });

/** An SVG drawn at twice its size. */
export async function png(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(svgBlob(svg));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.naturalWidth;
    canvas.height = 2 * image.naturalHeight;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}
