// Groups a mobile number as its own country writes it, while it is typed. The line below is made by
// `python -m app.web.phone_masks`: calling code, possible lengths, groups.
(() => {
  "use strict";
  const MASKS = "1=10:3-3-4;7=10:3 3-2-2;20=10:2 8;27=5,6,7,8,9:2 3 4;30=10:3 3 4;31=9,11:1 8;32=9:3 2 2 2;33=9:1 2 2 2 2;34=9:3 2 2 2;36=9:2 3 4;39=9,10:3 3 4;40=9:3 3 3;41=9:2 3 2 2;43=7,8,9,10,11,12,13:3 6;44=10:4 6;45=8:2 2 2 2;46=9:2 3 2 2;47=8:2 2 2 2;48=9:3 3 3;49=10,11:4 7;51=9:3 3 3;52=10:3 3 4;53=8:1 7;54=10,11:1 2 4-4;55=10,11:2 5-4;56=9:1 4 4;57=10:3 7;58=10:3-7;60=9,10:2-3 4;61=9:3 3 3;62=9,10,11,12:3-3-3;63=10:3 3 4;64=8,9,10:2 3 4;65=8:4 4;66=9:2 3 4;81=10:2-4-4;82=9,10:2-4-4;84=9:3 3 3;86=11:3 4 4;90=10:3 3 2 2;91=10:5 5;92=10:3 7;93=9:2 3 4;94=9:2 3 4;95=7,8,9,10:1 3 4;98=10:3 3 4;211=9:3 3 3;212=9:1 2 2 2 2;213=9:3 2 2 2;216=8:2 3 3;218=9:2-7;220=7,9:3 4;221=9:2 3 2 2;222=8:2 2 2 2;223=8:2 2 2 2;224=9:3 2 2 2;225=10:2 2 2 4;226=8:2 2 2 2;227=8:2 2 2 2;228=8:2 2 2 2;229=10:2 2 2 2 2;230=8:4 4;231=7,9:2 3 4;232=8:2 6;233=9:2 3 4;234=10:3 3 4;235=8:2 2 2 2;236=8:2 2 2 2;237=9:1 2 2 2 2;238=7:3 2 2;239=7:3 4;240=9:3 3 3;241=7,8:2 2 2 2;242=9:2 3 4;243=7,9:3 3 3;244=9:3 3 3;245=9:3 3 3;246=7:3 4;247=5:5;248=7:1 3 3;249=9:2 3 4;250=9:3 3 3;251=9:2 3 4;252=7,8,9:1 7;253=8:2 2 2 2;254=9:3 6;255=9:3 3 3;256=9:3 6;257=8:2 2 2 2;258=9:2 3 4;260=9:2 7;261=9:2 2 3 2;262=9:3 2 2 2;263=9:2 3 4;264=9:2 3 4;265=9:3 2 2 2;266=8:4 4;267=8:2 3 3;268=8:4 4;269=7:3 2 2;290=5:5;291=7:1 3 3;297=7:3 4;298=6:2 2 2;299=6:2 2 2;350=8:8;351=9:3 3 3;352=9:3 3 3;353=9:2 3 4;354=7,9:3 4;355=9:2 3 4;356=8:4 4;357=8:2 6;358=6,7,8,9,10:2 7;359=8,9:2 3 3;370=8:3 5;371=8:2 3 3;372=7,8:4 4;373=8:3 2 3;374=8:2 6;375=9:2 3-2-2;376=6,9:3 3;377=8,9:1 2 2 2 2;378=8:2 2 2 2;380=9:2 3 4;381=8,9,10:2 7;382=8:2 3 3;383=8:2 3 3;385=8,9:2 3 4;386=8:2 3 3;387=8,9:2 3 3;389=8:2 3 3;420=9:3 3 3;421=9:3 3 3;423=7,9:3 3 3;500=5:5;501=7:3-4;502=8:4 4;503=8:4 4;504=8:4-4;505=8:4 4;506=8:4 4;507=7,8:4-4;508=6,9:2 2 2;509=8:2 2 4;590=9:3 2 2 2;591=8:8;592=7:3 4;593=9:2 3 4;594=9:3 2 2 2;595=9:3 6;596=9:3 2 2 2;597=7:3-4;598=8:2 3 3;599=7,8:1 3 4;670=8:4 4;672=6:1 5;673=7:3 4;674=7:3 4;675=8:4 4;676=7:3 4;677=5,7:2 5;678=7:3 4;679=7:3 4;680=7:3 4;681=6:2 2 2;682=5:2 3;683=4,7:3 4;685=7,10:2 5;686=8:8;687=6:2.2.2;688=6,7:2 4;689=8:2 2 2 2;690=4,5,6,7:4;691=7:3 4;692=7:3-4;850=10:3 3 4;852=8:4 4;853=8:4 4;855=8,9:2 3 3;856=9,10:2 2 3 3;880=10:4-6;886=9:3 3 3;960=7:3-4;961=7,8:2 3 3;962=9:1 4 4;963=9:3 3 3;964=10:3 3 4;965=8:3 5;966=9:2 3 4;967=9:3 3 3;968=8:4 4;970=9:3 3 3;971=9:2 3 4;972=9:2-3-4;973=8:4 4;974=8:4 4;975=8:2 2 2 2;976=8:4 4;977=10:3-7;992=9:2 3 4;993=8:2 6;994=9:2 3 2 2;995=9:3 2 2 2;996=9:3 3 3;998=9:2 3 2 2";
  const countries = new Map(MASKS.split(";").map((each) => {
    const [, code, lengths, groups] = /^(\d+)=([\d,]*):(.*)$/.exec(each);
    return [code, { code, lengths: lengths.split(",").map(Number), groups }];
  }));
  const field = document.querySelector("input[type=tel]");
  if (!field) return;
  const { code: home, trunk } = field.dataset;

  // Digits with the calling code, whatever was typed: at home people leave it out.
  const digitsOf = (text) => {
    const digits = text.normalize("NFKC").replace(/\D/g, "");
    if (/^\s*[+＋]/.test(text)) return digits;
    if (trunk && digits.startsWith(trunk)) return home + digits.slice(trunk.length);
    return home.length === 1 && digits.startsWith(home) ? digits : digits && home + digits;
  };
  const countryOf = (digits) => {
    for (let length = 1; length < 4; length += 1) {
      const found = countries.get(digits.slice(0, length));
      if (found) return found;
    }
    return null;
  };
  const written = (digits) => {
    const country = countryOf(digits);
    if (!country) return "+" + digits;
    let rest = digits.slice(country.code.length), text = "+" + country.code, between = " ";
    for (const [, size, separator] of country.groups.matchAll(/(\d+)(\D*)/g)) {
      if (!rest) return text;
      text += between + rest.slice(0, size);
      rest = rest.slice(size);
      between = separator || " ";
    }
    return rest ? text + rest : text;
  };

  field.addEventListener("input", (event) => {
    const atEnd = field.selectionStart === field.value.length;
    if (!atEnd || /^delete/.test(event.inputType || "")) return; // nobody's correction is written over
    const digits = digitsOf(field.value);
    if (digits) field.value = written(digits);
  });
  field.addEventListener("change", () => {
    const digits = digitsOf(field.value);
    if (digits) field.value = written(digits);
  });
  field.fault = () => {
    if (!field.value.trim()) return field.required ? field.dataset.missing : "";
    const digits = digitsOf(field.value), country = countryOf(digits);
    const right = country && country.lengths.includes(digits.length - country.code.length);
    return right ? "" : field.dataset.wrong;
  };
})();
