// OpenSSL 3 calls these interfaces deprecated, and keeps them.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "oci/hasher.hpp"

#include "core/bytes.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <variant>

#include <openssl/sha.h>

namespace entrepot {
namespace {

// The written state: "1", the algorithm's letter, then the hash words, the bytes hashed so far and the bytes of the
// unfinished block, all in base64url without padding; words and count are big-endian.
constexpr char version = '1';

template <class Context>
struct Traits;

template <>
struct Traits<SHA256_CTX> {
    using Word = std::uint32_t;
    static constexpr DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    static constexpr char letter = 'a';
    static constexpr std::size_t block = SHA256_CBLOCK;
    static constexpr std::size_t length = SHA256_DIGEST_LENGTH;
    static void init(SHA256_CTX& context) { SHA256_Init(&context); }
    static void update(SHA256_CTX& context, const void* data, std::size_t size) { SHA256_Update(&context, data, size); }
    static void finish(SHA256_CTX& context, unsigned char* into) { SHA256_Final(into, &context); }
    static unsigned char* partial(SHA256_CTX& context) { return reinterpret_cast<unsigned char*>(context.data); }
};

template <>
struct Traits<SHA512_CTX> {
    using Word = std::uint64_t;
    static constexpr DigestAlgorithm algorithm = DigestAlgorithm::sha512;
    static constexpr char letter = 'b';
    static constexpr std::size_t block = SHA512_CBLOCK;
    static constexpr std::size_t length = SHA512_DIGEST_LENGTH;
    static void init(SHA512_CTX& context) { SHA512_Init(&context); }
    static void update(SHA512_CTX& context, const void* data, std::size_t size) { SHA512_Update(&context, data, size); }
    static void finish(SHA512_CTX& context, unsigned char* into) { SHA512_Final(into, &context); }
    static unsigned char* partial(SHA512_CTX& context) { return context.u.p; }
};

template <class Word>
void write_word(std::string& into, Word word)
{
    for (int shift = static_cast<int>(sizeof(Word)) * 8 - 8; shift >= 0; shift -= 8) {
        into.push_back(static_cast<char>(word >> shift & 0xffU));
    }
}

template <class Word>
Word read_word(std::string_view& from)
{
    Word word = 0;
    for (std::size_t index = 0; index < sizeof(Word); ++index) {
        word = static_cast<Word>(word << 8U | static_cast<unsigned char>(from[index]));
    }
    from.remove_prefix(sizeof(Word));
    return word;
}

// OpenSSL counts bits in two words. 2^61 bytes are enough for both algorithms, so one 64-bit count is kept.
template <class Context>
std::uint64_t bytes_hashed(const Context& context)
{
    if constexpr (sizeof(context.Nl) == 4) {
        return (static_cast<std::uint64_t>(context.Nh) << 32U | context.Nl) / 8;
    } else {
        return static_cast<std::uint64_t>(context.Nl) / 8;
    }
}

template <class Context>
void set_bytes_hashed(Context& context, std::uint64_t bytes)
{
    const std::uint64_t bits = bytes * 8;
    if constexpr (sizeof(context.Nl) == 4) {
        context.Nl = static_cast<decltype(context.Nl)>(bits & 0xffffffffU);
        context.Nh = static_cast<decltype(context.Nh)>(bits >> 32U);
    } else {
        context.Nl = bits;
        context.Nh = 0;
    }
}

template <class Context>
std::string written(Context context)
{
    using T = Traits<Context>;
    std::string raw;
    for (const auto word : context.h) write_word<typename T::Word>(raw, static_cast<typename T::Word>(word));
    write_word<std::uint64_t>(raw, bytes_hashed(context));
    raw.append(reinterpret_cast<const char*>(T::partial(context)), context.num);
    return std::string{version} + T::letter + to_base64url(as_bytes(raw));
}

template <class Context>
std::optional<Context> taken_up(std::string_view raw)
{
    using T = Traits<Context>;
    constexpr std::size_t fixed = 8 * sizeof(typename T::Word) + sizeof(std::uint64_t);
    if (raw.size() < fixed || raw.size() >= fixed + T::block) return std::nullopt;
    Context context{};
    T::init(context);
    for (auto& word : context.h) word = read_word<typename T::Word>(raw);
    const auto bytes = read_word<std::uint64_t>(raw);
    if (bytes >> 61U != 0 || bytes % T::block != raw.size()) return std::nullopt;
    set_bytes_hashed(context, bytes);
    std::memcpy(T::partial(context), raw.data(), raw.size());
    context.num = static_cast<unsigned>(raw.size());
    return context;
}

}  // namespace

struct Hasher::Context {
    std::variant<SHA256_CTX, SHA512_CTX> state;
};

Hasher::Hasher(DigestAlgorithm algorithm) : context_{std::make_unique<Context>()}
{
    if (algorithm == DigestAlgorithm::sha256) {
        Traits<SHA256_CTX>::init(context_->state.emplace<SHA256_CTX>());
    } else {
        Traits<SHA512_CTX>::init(context_->state.emplace<SHA512_CTX>());
    }
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Result<Hasher> Hasher::resume(std::string_view state)
{
    const auto corrupt = [] { return fail(Errc::corrupt, "the upload's hash state can't be read"); };
    if (state.size() < 2 || state[0] != version) return corrupt();
    const auto raw = from_base64url(state.substr(2));
    if (!raw) return corrupt();
    if (state[1] == Traits<SHA256_CTX>::letter) {
        const auto context = taken_up<SHA256_CTX>(*raw);
        if (!context) return corrupt();
        Hasher hasher{DigestAlgorithm::sha256};
        hasher.context_->state = *context;
        return hasher;
    }
    if (state[1] == Traits<SHA512_CTX>::letter) {
        const auto context = taken_up<SHA512_CTX>(*raw);
        if (!context) return corrupt();
        Hasher hasher{DigestAlgorithm::sha512};
        hasher.context_->state = *context;
        return hasher;
    }
    return corrupt();
}

void Hasher::update(std::span<const std::byte> bytes) noexcept
{
    const auto add = [&]<class Context>(Context& context) {
        Traits<Context>::update(context, bytes.data(), bytes.size());
    };
    std::visit(add, context_->state);
}

DigestAlgorithm Hasher::algorithm() const noexcept
{
    return std::holds_alternative<SHA256_CTX>(context_->state) ? DigestAlgorithm::sha256 : DigestAlgorithm::sha512;
}

Digest Hasher::digest() const
{
    const auto finish = []<class Context>(Context context) {
        std::array<unsigned char, Traits<Context>::length> raw{};
        Traits<Context>::finish(context, raw.data());
        return Digest::of_hash(Traits<Context>::algorithm, {reinterpret_cast<const char*>(raw.data()), raw.size()});
    };
    return std::visit(finish, context_->state);
}

std::string Hasher::state() const
{
    return std::visit([](const auto& context) { return written(context); }, context_->state);
}

}  // namespace entrepot
