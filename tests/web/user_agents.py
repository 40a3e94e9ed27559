"""User-Agents as phones, apps and browsers really send them, and what is expected of each."""
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass

from app.places.visits import DeviceKind

_IOS_18 = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IOS_17 = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0"
_VIEW = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36"


@dataclass(frozen=True)
class Known:
    """What a User-Agent is."""

    name: str
    user_agent: str
    kind: DeviceKind
    app: str = ""
    in_app: bool = False
    keeps_cards: bool = True


def _lost(name: str, user_agent: str, kind: DeviceKind, app: str) -> Known:
    return Known(name, user_agent, kind, app, in_app=True, keeps_cards=False)


BROWSERS = (
    Known("Safari", f"{_IOS_18} Version/18.5 Mobile/15E148 Safari/604.1", "iphone"),
    Known("Safari on an iPod", "Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5_7 like Mac OS X)"
          " AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1", "iphone"),
    Known("Chrome on iOS", f"{_IOS_17} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "iphone"),
    Known("Firefox on iOS", f"{_IOS_18} FxiOS/139.0 Mobile/15E148 Safari/605.1.15", "iphone"),
    Known("Edge on iOS", f"{_IOS_17} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/604.1", "iphone"),
    Known("DuckDuckGo on iOS", f"{_IOS_17} Version/17.5 Mobile/15E148 Safari/604.1 Ddg/17.5", "iphone"),
    Known("Yandex Browser on iOS", f"{_IOS_17} Version/17.5 YaBrowser/24.7.2.440.10 SA/3 Mobile/15E148"
          " Safari/604.1", "iphone", keeps_cards=False),
    Known("Opera on iOS", f"{_IOS_17} Version/17.5 Mobile/15E148 Safari/604.1 OPT/4.8.0", "iphone",
          keeps_cards=False),
    Known("Chrome on Android", f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36", "android"),
    Known("Samsung Internet", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
          " SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36", "android"),
    Known("Firefox on Android", "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
          "android"),
    Known("Yandex Browser on Android", "Mozilla/5.0 (Linux; arm_64; Android 14; SM-A546E) AppleWebKit/537.36"
          " (KHTML, like Gecko) Chrome/124.0.6367.221 YaBrowser/24.6.4.220.00 SA/3 Mobile Safari/537.36",
          "android"),
    Known("Chrome on Linux", f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME} Safari/537.36", "desktop"),
    Known("Edge on Windows", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36 Edg/137.0.0.0",
          "desktop"),
    Known("Yandex Browser on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML,"
          " like Gecko) Chrome/136.0.0.0 YaBrowser/25.6.0.0 Safari/537.36", "desktop"),
    Known("WeChat on Windows, from where the card goes to a phone anyway", "Mozilla/5.0 (Windows NT 10.0; Win64;"
          " x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 NetType/WIFI"
          " MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090c11) XWEB/11275 Flue", "desktop"),
    Known("Safari on a Mac, and on an iPad of today",
          f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "desktop"),
    Known("Safari on an old iPad", "Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15"
          " (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1", "ipad"),
)  # fmt: skip

APPS = (
    _lost("Instagram on iOS", f"{_IOS_18} Mobile/15E148 Instagram 386.0.0.42.78 (iPhone15,2; iOS 18_5; ru_RU;"
          " ru; scale=3.00; 1179x2556; 744132033)", "iphone", "Instagram"),
    _lost("Instagram on Android", "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv)"
          f" {_VIEW} Instagram 334.0.0.42.95 Android (34/14; 450dpi; 1080x2115; samsung; SM-S918B; dm3q; qcom;"
          " ru_RU; 604247854)", "android", "Instagram"),
    _lost("Facebook on iOS", f"{_IOS_17} Mobile/15E148 [FBAN/FBIOS;FBAV/455.0.0.39.106;FBBV/1;FBDV/iPhone14,5;"
          "FBMD/iPhone;FBSN/iOS;FBSV/17.5;FBSS/3;FBID/phone;FBLC/ru_RU;FBOP/5]", "iphone", "Facebook"),
    _lost("Facebook on Android", f"Mozilla/5.0 (Linux; Android 13; SM-A546E Build/TP1A.220624.014; wv) {_VIEW}"
          " [FB_IAB/FB4A;FBAV/530.0.0.48.74;]", "android", "Facebook"),
    _lost("Messenger on iOS", f"{_IOS_17} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/462.0.0.25.105;FBBV/1]",
          "iphone", "Messenger"),
    _lost("VK on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML,"
          " like Gecko) Mobile/15E148 com.vk.vkclient/9.0", "iphone", "VK"),
    _lost("VK on Android", f"Mozilla/5.0 (Linux; Android 13; SM-G998B Build/TP1A.220624.014; wv) {_VIEW}"
          " VKAndroidApp/7.52-14788 (Android 13; SDK 33; arm64-v8a; Samsung SM-G998B; ru; 2400x1080)",
          "android", "VK"),
    _lost("Telegram on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15"
          " (KHTML, like Gecko) Mobile/15E148 Telegram-iOS/10.0", "iphone", "Telegram"),
    _lost("Telegram on Android", "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko)"
          " Chrome/131.0.6778.135 Mobile Safari/537.36 Telegram-Android/11.5.5 (Samsung SM-G991U1; Android 14;"
          " SDK 34; HIGH)", "android", "Telegram"),
    _lost("WhatsApp on iOS", f"{_IOS_17} Mobile/15E148 WhatsApp/2.24.10.76", "iphone", "WhatsApp"),
    _lost("Viber on iOS", f"{_IOS_18} Mobile/15E148 Viber/27.5", "iphone", "Viber"),
    _lost("WeChat on iOS", f"{_IOS_17} Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI"
          " Language/ru", "iphone", "WeChat"),
    _lost("WeChat on Android", "Mozilla/5.0 (Linux; Android 14; MI 9 Build/UKQ1.230804.001; wv)"
          " AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36"
          " XWEB/1160065 MMWEBSDK/20231202 MMWEBID/7437 MicroMessenger/8.0.47.2560(0x28002F30) WeChat/arm64"
          " Weixin NetType/4G Language/zh_CN ABI/arm64", "android", "WeChat"),
    _lost("TikTok on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) AppleWebKit/605.1.15"
          " (KHTML, like Gecko) Mobile/15E148 BytedanceWebview/d8a21c6 musical_ly_32.8.0 JsSdk/2.0"
          " NetType/WIFI Channel/App ByteLocale/ar Region/SA", "iphone", "TikTok"),
    _lost("TikTok on Android", f"Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A; wv) {_VIEW}"
          " musical_ly_2023405030 BytedanceWebview/d8a21c6", "android", "TikTok"),
    _lost("X on iOS", f"{_IOS_17} Mobile/15E148 Twitter for iPhone/10.43", "iphone", "X"),
    _lost("LinkedIn on iOS", f"{_IOS_17} Mobile/15E148 [LinkedInApp]/9.30", "iphone", "LinkedIn"),
    _lost("Snapchat on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15"
          " (KHTML, like Gecko) Mobile/15E148 Snapchat/12.80.0.40 (like Safari/8617.2.4.10.8)", "iphone",
          "Snapchat"),
    _lost("Pinterest on iOS", f"{_IOS_17} Mobile/15E148 [Pinterest/iOS]", "iphone", "Pinterest"),
    _lost("LINE on iOS", f"{_IOS_17} Mobile/15E148 Safari Line/14.8.0", "iphone", "LINE"),
    _lost("the Yandex app on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)"
          " AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 YaBrowser/25.12.0.2002.10 YaApp_iOS/2512.0"
          " YaApp_iOS_Browser/2512.0 Safari/604.1 SA/3", "iphone", "Yandex"),
    _lost("the Yandex app on Android", "Mozilla/5.0 (Linux; arm_64; Android 9; SM-A505FN) AppleWebKit/537.36"
          " (KHTML, like Gecko) Chrome/86.0.4240.198 YaApp_Android/20.113.0 YaSearchBrowser/20.113.0"
          " BroPP/1.0 SA/3 Mobile Safari/537.36", "android", "Yandex"),
    _lost("the Google app on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_2 like Mac OS X)"
          " AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/363.0.743255906 Mobile/15E148 Safari/604.1", "iphone",
          "Google"),
    _lost("an app on iOS that does not say which", f"{_IOS_18} Mobile/15E148", "iphone", ""),
    _lost("an app on Android that does not say which",
          f"Mozilla/5.0 (Linux; Android 12; SM-G996B Build/SP1A.210812.016; wv) {_VIEW}", "android", ""),
)  # fmt: skip
