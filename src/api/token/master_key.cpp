#include "api/token/master_key.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "core/file_descriptor.hpp"
#include "core/log.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {
namespace {

namespace fs = std::filesystem;

std::string_view word_within(std::string_view text) noexcept
{
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::optional<std::string> from_hex(std::string_view text)
{
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

std::unexpected<Error> failed(std::string_view what, const fs::path& file)
{
    return fail(
        Errc::unavailable,
        "the master key file " + file.string() + " cannot be " + std::string{what},
        std::strerror(errno)
    );
}

Result<std::optional<std::string>> contents_of(const fs::path& file)
{
    const FileDescriptor input{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!input && errno == ENOENT) return std::nullopt;
    if (!input) return failed("opened", file);
    struct stat status{};
    if (::fstat(input.get(), &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
        log::warning("the master key file can be read by every user of this machine", {{"file", file.string()}});
    }
    std::string text(1'024, '\0');
    const auto count = ::read(input.get(), text.data(), text.size());
    if (count < 0) return failed("read", file);
    text.resize(static_cast<std::size_t>(count));
    return text;
}

Result<> write_synced(const fs::path& file, std::string_view text)
{
    const FileDescriptor output{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!output) return failed("made", file);
    const auto count = ::write(output.get(), text.data(), text.size());
    if (count != static_cast<ssize_t>(text.size()) || ::fsync(output.get()) != 0) return failed("written", file);
    return {};
}

// Written whole under another name first, so that a crash never leaves an empty key file; link() never replaces one
// that another process made meanwhile.
Result<> create(const fs::path& file, Random& random)
{
    auto draft = file;
    draft += "." + random.hex(8);
    const auto written = write_synced(draft, random.hex(32) + "\n");
    const bool linked = written && (::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
    const auto result = written && !linked ? Result<>{failed("made", file)} : written;
    ::unlink(draft.c_str());
    CHECK(result);
    const auto folder = file.has_parent_path() ? file.parent_path() : fs::path{"."};
    const FileDescriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::fsync(directory.get()) != 0) return failed("synced", file);
    return {};
}

}  // namespace

Result<MasterKey> MasterKey::parse(std::string_view text)
{
    const auto word = word_within(text);
    auto bytes = word.size() == 64 ? from_hex(word) : from_base64(word);
    if (!bytes || bytes->size() != 32) {
        return fail(Errc::bad_request, "a master key is 32 bytes: 64 hexadecimal digits, or base64 with padding");
    }
    MasterKey key;
    std::memcpy(key.bytes_.data(), bytes->data(), key.bytes_.size());
    OPENSSL_cleanse(bytes->data(), bytes->size());
    return key;
}

Result<MasterKey> MasterKey::load_or_create(const fs::path& file, Random& random)
{
    TRY(auto text, contents_of(file));
    if (!text) {
        CHECK(create(file, random));
        TRY(text, contents_of(file));
    }
    auto key = parse(text.value_or(""));
    if (text) OPENSSL_cleanse(text->data(), text->size());
    if (!key)
        return fail(Errc::bad_request, "the file " + file.string() + " holds no master key: " + key.error().message());
    return key;
}

MasterKey::~MasterKey()
{
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

std::string MasterKey::fingerprint() const
{
    constexpr std::string_view label = "entrepot master key fingerprint";
    std::array<unsigned char, label.size() + 32> text{};
    std::memcpy(text.data(), label.data(), label.size());
    std::memcpy(text.data() + label.size(), bytes_.data(), bytes_.size());
    std::array<std::byte, 32> digest{};
    EVP_Digest(
        text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(), nullptr
    );
    OPENSSL_cleanse(text.data(), text.size());
    return to_hex(std::span{digest}.first(4));
}

}  // namespace entrepot
