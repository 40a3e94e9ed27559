// Reads passes with KDE's library and says as JSON what it found: a reader that shares no code with Perkpass.
// usage: kpkpass_reader LANGUAGE FILE.pkpass…

#include <KPkPass/Barcode>
#include <KPkPass/Field>
#include <KPkPass/Location>
#include <KPkPass/Pass>

#include <QColor>
#include <QCoreApplication>
#include <QCryptographicHash>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>
#include <QUrl>
#include <QVector>

#include <cstdio>
#include <memory>

using namespace KPkPass;

static QJsonArray fields(const QVector<Field> &all)
{
    QJsonArray said;
    for (const Field &each : all) {
        said.append(QJsonObject{
            {"key", each.key()},
            {"label", each.label()},
            {"value", QJsonValue::fromVariant(each.value())},
            {"changeMessage", each.changeMessage()},
        });
    }
    return said;
}

// Width, height and the pixels' hash: what is shown, however it is stored.
static QJsonObject picture(const QImage &image)
{
    const QImage plain = image.convertToFormat(QImage::Format_RGBA8888);
    QCryptographicHash pixels(QCryptographicHash::Sha1);
    for (int row = 0; row < plain.height(); row++) {
        pixels.addData(reinterpret_cast<const char *>(plain.constScanLine(row)), plain.width() * 4);
    }
    return {{"width", plain.width()}, {"height", plain.height()}, {"sha1", QString::fromLatin1(pixels.result().toHex())}};
}

static QJsonValue card(const QString &file)
{
    const std::unique_ptr<Pass> pass(Pass::fromFile(file));
    if (!pass) {
        return QJsonValue::Null;
    }
    QJsonArray codes, places;
    for (const Barcode &each : pass->barcodes()) {
        codes.append(QJsonObject{
            {"is_qr", each.format() == Barcode::QR},
            {"message", each.message()},
            {"encoding", each.messageEncoding()},
            {"altText", each.alternativeText()},
        });
    }
    for (const Location &each : pass->locations()) {
        places.append(QJsonObject{
            {"latitude", each.latitude()}, {"longitude", each.longitude()}, {"relevantText", each.relevantText()}});
    }
    QJsonObject images;
    for (const char *name : {"icon", "logo", "strip"}) {
        QJsonArray scales;
        for (const unsigned int scale : {1u, 2u, 3u}) {
            scales.append(picture(pass->image(QString::fromLatin1(name), scale)));
        }
        images.insert(QString::fromLatin1(name), scales);
    }
    return QJsonObject{
        {"is_store_card", pass->type() == Pass::StoreCard},
        {"description", pass->description()},
        {"organizationName", pass->organizationName()},
        {"passTypeIdentifier", pass->passTypeIdentifier()},
        {"serialNumber", pass->serialNumber()},
        {"authenticationToken", pass->authenticationToken()},
        {"webServiceURL", pass->webServiceUrl().toString()},
        {"logoText", pass->logoText()},
        {"backgroundColor", pass->backgroundColor().name()},
        {"foregroundColor", pass->foregroundColor().name()},
        {"labelColor", pass->labelColor().name()},
        {"headerFields", fields(pass->headerFields())},
        {"primaryFields", fields(pass->primaryFields())},
        {"secondaryFields", fields(pass->secondaryFields())},
        {"auxiliaryFields", fields(pass->auxiliaryFields())},
        {"backFields", fields(pass->backFields())},
        {"barcodes", codes},
        {"locations", places},
        {"images", images},
    };
}

int main(int count, char **arguments)
{
    QCoreApplication application(count, arguments);
    QLocale::setDefault(QLocale(QString::fromLocal8Bit(arguments[1])));
    QJsonArray cards;
    for (int number = 2; number < count; number++) {
        cards.append(card(QString::fromLocal8Bit(arguments[number])));
    }
    std::fputs(QJsonDocument(cards).toJson(QJsonDocument::Compact).constData(), stdout);
    return 0;
}
