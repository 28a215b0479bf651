// What people write down, sent in order and once. Entries stay on the device until the service has answered for them:
// through a lost connection, a closed tab and a used-up quota.

import { ApiError, postRecord } from "./api.js";
import { device } from "./storage.js";

const STORE = "outbox";
const PAUSE_SECONDS = 30;

/** Tells of "change" (an entry came or was refused) and "sent" (the service has it). */
export const outbox = new EventTarget();

let isSending = false;
let isAskedAgain = false; // while something was being sent, which may yet fail
let timer = null;

/** The entries, oldest first: {id, zoneId, equipId, at, body, refusal: null | {status, detail}}. */
export function entries() {
  try {
    const stored = JSON.parse(device.get(STORE) ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}

export function entriesOf(zoneId, equipId) {
  return entries().filter((entry) => entry.zoneId === zoneId && entry.equipId === equipId);
}

/** Take an entry and try to send it. */
export function add(zoneId, equipId, body) {
  const entry = { id: identifier(), zoneId, equipId, at: new Date().toISOString(), body, refusal: null };
  store([...entries(), entry]);
  flush();
}

export function discard(id) {
  store(entries().filter((entry) => entry.id !== id));
}

/** Try refused entries again, such as with another key. */
export function retry() {
  store(entries().map((entry) => ({ ...entry, refusal: null })));
  isAskedAgain = isSending;
  flush();
}

/** Send what waits, the oldest first; an entry that the service refuses does not hold up the others. */
export async function flush() {
  if (isSending) return;
  isSending = true;
  clearTimeout(timer);
  try {
    do {
      isAskedAgain = false;
      for (let entry = waiting(); entry; entry = waiting()) {
        if (!(await send(entry))) break;
      }
    } while (isAskedAgain);
  } finally {
    isSending = false;
  }
}

const waiting = () => entries().find((entry) => !entry.refusal);

/** Send one entry; whether to go on with the next one. */
async function send(entry) {
  try {
    await postRecord(entry.zoneId, entry.equipId, entry.body, entry.id);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.isPassing) {
      timer = setTimeout(flush, 1000 * (error.retryAfter ?? PAUSE_SECONDS));
      outbox.dispatchEvent(new Event("change"));
      return false;
    }
    const refusal = { status: error.status, detail: error.detail };
    store(entries().map((other) => (other.id === entry.id ? { ...other, refusal } : other)));
    return true;
  }
  store(entries().filter((other) => other.id !== entry.id), "sent");
  return true;
}

function store(list, event = "change") {
  if (list.length) device.set(STORE, JSON.stringify(list));
  else device.remove(STORE);
  outbox.dispatchEvent(new Event(event));
}

function identifier() {
  // randomUUID is missing where the page is served without TLS under a name
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
