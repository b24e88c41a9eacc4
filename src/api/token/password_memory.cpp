#include "api/token/password_memory.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace entrepot {
namespace {

// Each part with its length before it: two different triples never make the same text.
void append(std::string& text, std::string_view part)
{
    const auto size = static_cast<std::uint64_t>(part.size());
    text.append(reinterpret_cast<const char*>(&size), sizeof size);
    text.append(part);
}

}  // namespace

PasswordMemory::PasswordMemory(const Clock& clock, Random& random, std::size_t capacity)
    : clock_{clock}, capacity_{capacity}
{
    random.fill(key_);
}

std::string PasswordMemory::tag(
    PasswordPurpose purpose, std::string_view user, std::string_view password, std::int64_t credential_version
) const
{
    std::string text;
    text.reserve(user.size() + password.size() + 3 * sizeof(std::uint64_t) + 1);
    text += static_cast<char>(purpose);
    append(text, user);
    append(text, password);
    text.append(reinterpret_cast<const char*>(&credential_version), sizeof credential_version);
    std::string tag(32, '\0');
    unsigned length = 0;
    const auto* made = ::HMAC(
        EVP_sha256(),
        key_.data(),
        static_cast<int>(key_.size()),
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size(),
        reinterpret_cast<unsigned char*>(tag.data()),
        &length
    );
    OPENSSL_cleanse(text.data(), text.size());
    if (made == nullptr) throw std::runtime_error{"HMAC-SHA-256 is not available"};
    return tag;
}

bool PasswordMemory::knows(const std::string& tag) const
{
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(tag);
    return found != entries_.end() && found->second > clock_.steady();
}

void PasswordMemory::remember(const std::string& tag)
{
    const std::lock_guard lock{mutex_};
    const auto now = clock_.steady();
    entries_.insert_or_assign(tag, now + lifetime);
    order_.emplace_back(tag, now + lifetime);
    while (!order_.empty() && (order_.front().second <= now || order_.size() > capacity_)) {
        const auto found = entries_.find(order_.front().first);
        const bool renewed = found != entries_.end() && found->second > order_.front().second;
        if (found != entries_.end() && !renewed) entries_.erase(found);
        order_.pop_front();
    }
}

}  // namespace entrepot
