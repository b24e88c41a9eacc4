#include "api/token/seal.hpp"

#include "core/bytes.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace entrepot {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) noexcept
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

const unsigned char* bytes_of(const MasterKey& key) noexcept
{
    return reinterpret_cast<const unsigned char*>(key.bytes().data());
}

}  // namespace

std::string seal(const MasterKey& key, std::string_view secret, std::string_view context, Random& random)
{
    std::string box(nonce_size + secret.size() + tag_size, '\0');
    random.fill(std::as_writable_bytes(std::span{box.data(), nonce_size}));
    auto* out = reinterpret_cast<unsigned char*>(box.data());
    const Context cipher{EVP_CIPHER_CTX_new()};
    int length = 0;
    const bool sealed =
        cipher && EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), bytes_of(key), out, nullptr) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(context), static_cast<int>(context.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), out + nonce_size, &length, bytes_of(secret), static_cast<int>(secret.size())) ==
            1 &&
        EVP_EncryptFinal_ex(cipher.get(), out + nonce_size + secret.size(), &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, out + nonce_size + secret.size()) == 1;
    if (!sealed) throw std::runtime_error{"AES-256-GCM is not available"};
    return "v1." + key.fingerprint() + "." + to_base64url(as_bytes(box));
}

Result<std::string> unseal(const MasterKey& key, std::string_view sealed, std::string_view context)
{
    const auto second = sealed.find('.', 3);
    if (!sealed.starts_with("v1.") || second == std::string_view::npos) {
        return fail(Errc::corrupt, "a sealed secret is not in a form that we know");
    }
    if (sealed.substr(3, second - 3) != key.fingerprint()) {
        return fail(
            Errc::corrupt,
            "the secrets in the database are sealed under another master key than the one given",
            "sealed under " + std::string{sealed.substr(3, second - 3)} + ", given " + key.fingerprint()
        );
    }
    auto box = from_base64url(sealed.substr(second + 1));
    if (!box || box->size() < nonce_size + tag_size) return fail(Errc::corrupt, "a sealed secret is damaged");
    const auto size = box->size() - nonce_size - tag_size;
    auto* in = reinterpret_cast<unsigned char*>(box->data());
    std::string secret(size, '\0');
    auto* out = reinterpret_cast<unsigned char*>(secret.data());
    const Context cipher{EVP_CIPHER_CTX_new()};
    int length = 0;
    const bool opened =
        cipher && EVP_DecryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), bytes_of(key), in, nullptr) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(context), static_cast<int>(context.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), out, &length, in + nonce_size, static_cast<int>(size)) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, in + nonce_size + size) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), out + size, &length) == 1;
    if (!opened) return fail(Errc::corrupt, "a sealed secret is damaged");
    return secret;
}

}  // namespace entrepot
