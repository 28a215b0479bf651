// Texts in English and Korean; numbers, dates and times as readers of each write them.

import { device } from "./storage.js";

// key: [English, Korean]; what stands in braces is put in
const TEXTS = {
  "skip": ["Skip to the content", "본문으로 건너뛰기"],
  "nav": ["Views", "화면"],
  "nav.fleet": ["Fleet", "설비 현황"],
  "nav.model": ["Model", "모델"],
  "language": ["한국어", "English"],
  "sign-out": ["Sign out", "로그아웃"],
  "sign-out.sure": ["Not sent yet: {count}. Delete and sign out?", "아직 보내지 않은 기록 {count}건이 있습니다. 삭제하고 로그아웃할까요?"],
  "foot": ["Times in {zone}.", "시각은 {zone} 기준입니다."],
  "loading": ["Loading …", "불러오는 중 …"],

  "level.failing": ["Failing", "고장"],
  "level.act": ["Act now", "즉시 조치"],
  "level.plan": ["Plan", "정비 계획"],
  "level.watch": ["Watch", "관찰"],
  "level.fine": ["Fine", "양호"],
  "level.none": ["No answer", "응답 없음"],
  "state.off": ["standing still", "정지 중"],
  "state.degraded": ["sensors missing", "센서 이상"],
  "state.stale": ["data is late", "데이터 지연"],
  "state.silent": ["silent", "데이터 끊김"],
  "state.unscored": ["not scored", "채점 안 됨"],
  "state.failing": ["failing", "고장 중"],
  "state.ok": ["running", "가동 중"],

  "fleet.title": ["Fleet", "설비 현황"],
  "fleet.counts": ["Machines by urgency; each filters", "긴급도별 설비 수; 누르면 걸러 봅니다"],
  "fleet.filters": ["Search and zones", "검색과 구역"],
  "fleet.search": ["Search machine", "설비 찾기"],
  "fleet.zone": ["Zone", "구역"],
  "fleet.all-zones": ["All zones", "모든 구역"],
  "fleet.scored": ["Scored {time}, {ago}", "{time} 채점, {ago}"],
  "fleet.matching": ["{shown} of {total} machines", "설비 {total}대 중 {shown}대"],
  "fleet.updated": ["Updated. Scored {time}. {counts}", "갱신되었습니다. {time} 채점. {counts}"],
  "fleet.more": ["Show {count} more", "{count}대 더 보기"],
  "fleet.calm": ["Nothing urgent: no machine is failing, to be acted on or to be planned.", "급한 설비가 없습니다. 고장, 즉시 조치, 정비 계획에 든 설비가 없습니다."],
  "fleet.nothing": ["No machine matches.", "조건에 맞는 설비가 없습니다."],
  "fleet.clear": ["Show all machines", "모든 설비 보기"],
  "col.state": ["State", "상태"],
  "col.machine": ["Machine", "설비"],
  "col.days": ["Days left", "남은 일수"],
  "col.expected": ["Failure expected", "예상 고장"],
  "col.change": ["24 h", "24시간"],
  "col.interval": ["Likely range, days", "예상 범위(일)"],
  "col.trend": ["7 days", "7일"],
  "col.drivers": ["Driven by", "원인 센서"],
  "col.case": ["Who has it", "담당"],
  "days": ["{days} days", "{days}일"],
  "range": ["{low} to {high} days", "{low}~{high}일"],
  "range.open": ["{low} days or more", "{low}일 이상"],
  "interval.of": ["{range} with {share}", "{share} 확률로 {range}"],
  "change.of": ["{change} days in 24 hours", "24시간 동안 {change}일"],
  "trend.of": ["Seven days: from {first} to {last} days left", "지난 7일: 남은 수명 {first}일에서 {last}일로"],
  "trend.none": ["no trend yet", "추세 없음"],
  "beyond": ["beyond {days} days", "{days}일 이후"],
  "now": ["now", "지금"],
  "newest": ["newest reading {ago}", "마지막 데이터 {ago}"],
  "case.open": ["nobody yet", "아직 없음"],
  "case.since": ["open since {time}", "{time}부터 열림"],
  "case.acknowledged": ["seen {time}", "{time} 확인"],
  "case.by": ["by {name}", "확인자 {name}"],
  "case.planned": ["planned {time}", "{time} 정비 예정"],
  "case.waiting": ["waits to be sent", "전송 대기"],
  "case.none": ["no case", "케이스 없음"],

  "machine.back": ["Fleet", "설비 현황"],
  "machine.now": ["Now", "현재"],
  "machine.days-left": ["days left", "일 남음"],
  "machine.likely": ["Likely range", "예상 범위"],
  "machine.expected": ["Failure expected", "예상 고장"],
  "machine.replace-by": ["Best replaced by", "권장 교체 시점"],
  "machine.saving": ["saves {saving} a running day", "가동일당 {saving} 절감"],
  "machine.mode": ["Likely failure mode", "예상 고장 유형"],
  "machine.data": ["Data", "데이터"],
  "machine.data-of": ["{state}, newest reading {ago}", "{state}, 마지막 데이터 {ago}"],
  "machine.model": ["Model", "모델"],
  "machine.case": ["Case", "케이스"],
  "machine.rul": ["Days left, last 30 days", "남은 수명, 지난 30일"],
  "machine.rul.alt": ["Predicted days left over 30 days: {first} at first, {last} at last; limits at {limits} days; {cases} cases", "30일간 예측 수명: 처음 {first}일, 마지막 {last}일, 기준 {limits}일, 케이스 {cases}건"],
  "machine.rul.legend": ["Line: predicted. Band: likely range. Dashed: limits of {limits} days. Marks: cases opened.", "선: 예측, 띠: 예상 범위, 점선: 기준 {limits}일, 표시: 케이스 열림."],
  "machine.probability": ["Probability of failure", "고장 확률"],
  "machine.within": ["within {days} days", "{days}일 이내"],
  "machine.within.one": ["within 1 day", "1일 이내"],
  "machine.probability.none": ["The model does not tell probabilities.", "이 모델은 확률을 말하지 않습니다."],
  "machine.drivers": ["What drives it", "원인"],
  "machine.drivers.now": ["Days that each sensor adds to the {base} days that running time alone says", "가동 시간만으로 본 {base}일에 각 센서가 더하는 일수"],
  "machine.drivers.time": ["The strongest driver over 30 days", "지난 30일의 가장 강한 원인"],
  "machine.drivers.alt": ["{sensor}: {days} days at last", "{sensor}: 마지막 {days}일"],
  "machine.sensors": ["Sensors, last 72 hours", "센서, 지난 72시간"],
  "machine.sensors.legend": ["Line: hourly mean. Band: minimum to maximum. Shaded: the range that training saw.", "선: 시간 평균, 띠: 최소~최대, 음영: 학습에서 본 범위."],
  "machine.sensors.alt": ["{sensor}: mean {last} at last, {low} to {high} in 72 hours", "{sensor}: 마지막 평균 {last}, 72시간 {low}~{high}"],
  "machine.sensors.alt.training": ["training saw {low} to {high}", "학습 범위 {low}~{high}"],
  "machine.sensors.out": ["outside training", "학습 범위 밖"],
  "machine.runs": ["Past runs", "지난 가동"],
  "machine.runs.alt": ["How each run ended, and what was predicted before", "각 가동이 어떻게 끝났고 그 전에 무엇을 예측했는지"],
  "machine.runs.none": ["No run has ended in the time that is kept.", "보관 기간에 끝난 가동이 없습니다."],
  "machine.began": ["Began", "시작"],
  "machine.ended": ["Ended", "끝"],
  "machine.end": ["How", "끝난 이유"],
  "machine.before": ["{days} days before", "{days}일 전"],
  "machine.before.one": ["1 day before", "1일 전"],
  "machine.running": ["runs on", "가동 중"],
  "machine.records": ["Records", "기록"],
  "machine.records.none": ["Nothing has been written down yet.", "아직 기록이 없습니다."],
  "machine.cases": ["Cases", "케이스"],
  "machine.unknown": ["{machine} is not in the fleet.", "{machine} 설비가 현황에 없습니다."],
  "machine.no-answer": ["No prediction now", "지금은 예측이 없습니다"],
  "machine.warnings": ["What to know", "유의 사항"],
  "machine.none": ["Nothing to draw yet.", "아직 그릴 데이터가 없습니다."],
  "end.failure": ["failure", "고장"],
  "end.maintenance": ["maintenance", "정비"],

  "machine.opened": ["Opened", "열림"],
  "machine.acknowledged": ["Seen", "확인"],
  "machine.closed": ["Closed", "종료"],

  "cause.wear": ["wear", "마모"],
  "cause.silence": ["silence", "무응답"],
  "case.level": ["level {level}", "{level}단계"],
  "status.open": ["open", "열림"],
  "status.acknowledged": ["acknowledged", "확인됨"],
  "status.closed": ["closed", "종료"],
  "outcome.maintenance": ["maintenance was done", "정비 완료"],
  "outcome.failure": ["failed, runs again", "고장 후 재가동"],
  "outcome.cleared": ["the reason is gone", "원인 해소"],
  "outcome.false_alarm": ["a false alarm", "오경보"],
  "outcome.gone": ["no readings for 30 days", "30일간 데이터 없음"],

  "kind.seen": ["Seen", "확인"],
  "kind.planned": ["Planned", "정비 예정"],
  "kind.maintenance": ["Maintenance done", "정비 완료"],
  "kind.failure": ["Failed", "고장"],
  "kind.inspection": ["Inspected", "점검"],
  "kind.false_alarm": ["Prediction wrong", "예측 틀림"],
  "act.title": ["Write down", "기록하기"],
  "act.note": ["Note (optional)", "메모(선택)"],
  "act.planned": ["Work begins", "작업 시작"],
  "act.maintenance": ["Work began", "작업을 시작한 때"],
  "act.failure": ["Failed at", "고장 난 때"],
  "act.mode": ["Failure mode (optional)", "고장 유형(선택)"],
  "act.send": ["Write down: {kind}", "기록: {kind}"],
  "act.cancel": ["Cancel", "취소"],
  "act.done": ["Written down: {kind}", "기록했습니다: {kind}"],
  "act.future": ["This is in the future; write it down as planned.", "미래의 시각입니다. 정비 예정으로 기록하세요."],
  "act.wrong-time": ["Choose a date and a time.", "날짜와 시각을 고르세요."],
  "record.by": ["by {name}", "기록자 {name}"],
  "record.local": ["this machine", "이 컴퓨터"],
  "record.waiting": ["waits to be sent", "전송 대기"],
  "record.refused": ["refused: {detail}", "거부됨: {detail}"],
  "outbox.waiting": ["Waiting to be sent: {count}. Kept on this device until then.", "기록 {count}건이 전송을 기다립니다. 그때까지 이 기기에 보관됩니다."],
  "outbox.refused": ["{machine}: “{kind}” was refused: {detail}", "{machine}: “{kind}” 기록이 거부되었습니다: {detail}"],
  "outbox.retry": ["Try again", "다시 보내기"],
  "outbox.discard": ["Discard", "버리기"],

  "model.title": ["Model", "모델"],
  "model.served": ["Served", "사용 중"],
  "model.training": ["Trained", "학습"],
  "model.promotion": ["Promoted", "승격"],
  "model.unknown": ["a model that this service did not train", "이 서비스가 학습하지 않은 모델"],
  "model.right": ["How right it was", "얼마나 맞았나"],
  "model.days": ["Predictions of {first} to {last}, measured {time}", "{first}~{last}의 예측, {time} 측정"],
  "model.unmeasured": ["Nothing has been measured yet: it needs a night with logged predictions.", "아직 측정하지 않았습니다. 예측 로그가 있는 밤이 한 번 지나야 합니다."],
  "model.limit": ["Limit", "기준"],
  "model.failures": ["Failures", "고장"],
  "model.announced": ["Announced", "예고함"],
  "model.missed": ["Missed", "놓침"],
  "model.raised": ["Announcements", "예고"],
  "model.false": ["False", "오경보"],
  "model.lead": ["Median lead", "예고 시간(중앙값)"],
  "model.coverage": ["Within the likely range", "예상 범위 안"],
  "model.promised": ["{share} promised", "약속 {share}"],
  "model.mae": ["Mean error", "평균 오차"],
  "model.kept": ["All promises were kept.", "모든 약속을 지켰습니다."],
  "model.versions": ["Versions", "버전"],
  "model.version": ["Version", "버전"],
  "model.holdout": ["Error on hold-out", "검증 오차"],
  "model.holdout-coverage": ["Within range", "범위 안"],
  "model.verdict": ["Verdict", "판정"],
  "model.served-now": ["served since {time}", "{time}부터 사용 중"],
  "model.promoted": ["promoted {time}", "{time} 승격"],
  "model.stored": ["stored, not promoted", "저장만 됨"],
  "model.report": ["Report", "리포트"],
  "model.report-of": ["Report of {version}", "{version} 리포트"],
  "model.history": ["History", "이력"],
  "model.history.none": ["No version has been promoted yet.", "아직 승격된 버전이 없습니다."],
  "model.when": ["When", "때"],
  "model.action": ["What", "무엇"],
  "model.reason": ["Why", "이유"],
  "model.by": ["By", "누가"],
  "model.operate": ["Versions are promoted and rolled back by the operator’s events, not here.", "승격과 롤백은 이 화면이 아니라 운영자의 이벤트로 합니다."],
  "action.promote": ["promoted", "승격"],
  "action.rollback": ["rolled back to", "롤백"],
  "report.title": ["Report", "리포트"],
  "report.back": ["Model", "모델"],

  "key.title": ["Key", "키"],
  "key.text": ["This page shows data to holders of a key. Ask the person who operates the service, or scan its QR code.", "키가 있는 사람에게 데이터를 보여 줍니다. 서비스 운영자에게 키를 받거나 QR 코드를 찍으세요."],
  "key.refused": ["The key was refused: it is wrong or disabled.", "키가 거부되었습니다. 잘못되었거나 중지된 키입니다."],
  "key.label": ["API key", "API 키"],
  "key.keep": ["Keep on this device", "이 기기에 저장"],
  "key.keep.text": ["Otherwise it is forgotten when the tab is closed. It is sent to this service only.", "저장하지 않으면 탭을 닫을 때 잊습니다. 이 서비스에만 보냅니다."],
  "key.go": ["Open", "열기"],
  "key.malformed": ["A key has no spaces and no other letters than those of ASCII.", "키에는 공백이나 한글이 없습니다."],

  "problem.offline": ["No connection to the service", "서비스에 연결할 수 없습니다"],
  "problem.offline.text": ["The page tries again every minute, and when the connection is back.", "1분마다, 그리고 연결이 돌아오면 다시 시도합니다."],
  "problem.forbidden": ["Key refused", "키가 거부되었습니다"],
  "problem.quota": ["Too many requests", "요청이 너무 많습니다"],
  "problem.quota.text": ["The key’s share is used up. Next try {time}.", "이 키의 몫을 다 썼습니다. 다음 시도는 {time}입니다."],
  "problem.no-model": ["No model yet", "아직 모델이 없습니다"],
  "problem.no-model.text": ["Every night the service trains one as soon as there is enough to learn from: by default 7 days of readings, 2 machines and 5 runs that ended. The answer of the last retrain says what is missing.", "배울 데이터가 충분해지면 밤마다 학습합니다. 기본값은 데이터 7일, 설비 2대, 끝난 가동 5회입니다. 무엇이 부족한지는 마지막 재학습의 응답에 있습니다."],
  "problem.model": ["The model cannot be used", "모델을 쓸 수 없습니다"],
  "problem.unscored": ["Nothing has been scored yet", "아직 채점된 설비가 없습니다"],
  "problem.unscored.text": ["Machines appear here after the first hourly run of scoring.", "매시간 도는 채점이 처음 끝나면 설비가 나타납니다."],
  "problem.storage": ["The storage does not answer", "저장소가 응답하지 않습니다"],
  "problem.service": ["The service does not answer", "서비스가 응답하지 않습니다"],
  "problem.other": ["The service refused the request", "서비스가 요청을 거부했습니다"],
  "problem.as-of": ["What you see is as of {time}, {ago}.", "보이는 데이터는 {time} 기준입니다({ago})."],
  "problem.said": ["Answer of the service: {detail}", "서비스의 응답: {detail}"],
  "problem.retry": ["Try again", "다시 시도"],
  "problem.late": ["Scoring is late", "채점이 늦어지고 있습니다"],
  "problem.late.text": ["The newest run began {time}, {ago}; runs come every hour. The numbers below are of that time.", "마지막 채점은 {time}에 시작했습니다({ago}). 채점은 매시간 합니다. 아래 값은 그때의 값입니다."],
  "problem.defect": ["This page has a defect", "이 화면에 결함이 있습니다"],
};

const LANGUAGES = ["en", "ko"];
const LOCALES = { en: navigator.language.startsWith("en") ? navigator.language : "en-GB", ko: "ko-KR" };

let current = LANGUAGES.includes(device.get("language")) ? device.get("language") : preferred();

function preferred() {
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export const language = () => current;

export function switchLanguage() {
  current = current === "en" ? "ko" : "en";
  device.set("language", current);
}

export function t(key, values = {}) {
  const text = TEXTS[key][LANGUAGES.indexOf(current)];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A text whose key comes from data; data that this page does not know stands for itself. */
export function word(prefix, value) {
  return Object.hasOwn(TEXTS, `${prefix}.${value}`) ? t(`${prefix}.${value}`) : String(value);
}

const formats = new Map();

function format(kind, options) {
  const name = `${current} ${kind.name} ${JSON.stringify(options)}`;
  if (!formats.has(name)) formats.set(name, new kind(LOCALES[current], options));
  return formats.get(name);
}

const number = (value, options) => format(Intl.NumberFormat, options).format(value);

/** Days with one decimal, as the table shows them. */
export const days = (value) => number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const change = (value) =>
  number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" }).replace("-", "−");
export const count = (value) => number(value, {});
export const share = (value, digits = 0) => number(value, { style: "percent", maximumFractionDigits: digits });
/** A reading, with three significant digits. */
export const reading = (value) => number(value, { maximumSignificantDigits: 3 });

export const range = (interval) =>
  interval.high === null ? t("range.open", { low: days(interval.low) }) : t("range", { low: days(interval.low), high: days(interval.high) });

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export const date = (at) => format(Intl.DateTimeFormat, { weekday: "short", day: "numeric", month: "short" }).format(new Date(at));
export const day = (at) => format(Intl.DateTimeFormat, { day: "numeric", month: "short" }).format(new Date(at));
export const clock = (at) => format(Intl.DateTimeFormat, CLOCK).format(new Date(at));
export const moment = (at) => format(Intl.DateTimeFormat, { weekday: "short", day: "numeric", month: "short", ...CLOCK }).format(new Date(at));

/** The time of day where it is today's, else with its date. */
export const time = (at) => (new Date(at).toDateString() === new Date().toDateString() ? clock(at) : moment(at));

/** How long ago, in the largest fitting unit. */
export function ago(at) {
  const minutes = Math.round((new Date(at) - Date.now()) / 60000);
  const relative = format(Intl.RelativeTimeFormat, { numeric: "auto" });
  if (Math.abs(minutes) < 90) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 48 * 60) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}

export const list = (items) => format(Intl.ListFormat, { type: "conjunction" }).format(items);

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
